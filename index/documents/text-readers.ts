import type { Reader } from './input.ts';

/** Loads a reader, only when a file needs it. */
export type Load = () => Promise<Reader>;

/** Frames of a page that a browser saved, beside the page. */
const FRAME = /_files\/saved_resource(?:\(\d+\))?\.html?$/i;

/** A format that is not read, because its programs save others too. `successors` are those by the end of the file name. */
export function notRead(reason: string, usual: string, successors: Record<string, string> = {}): Load {
  // biome-ignore lint/correctness/useYield: no file has documents
  const read: Reader = async function* (input) {
    const extension = input.path.slice(input.path.lastIndexOf('.')).toLowerCase();
    throw input.failure(reason, `Save it as ${successors[extension] ?? usual} and build again.`);
  };
  return async () => read;
}

/** Reads a page, unless it is a part of another. */
export async function loadHtml(): Promise<Reader> {
  const { declaredCharset } = await import('./html/head.ts');
  const { readPage } = await import('./html/html-page.ts');
  return async function* (input) {
    const skip = (reason: string) => input.report({ kind: 'skipped', place: input.path, reason });
    if (FRAME.test(input.source)) return skip('part of a saved page');
    const { document, reason } = readPage(await input.text(declaredCharset), input.source, input.path);
    if (reason === 'no text') throw input.failure(reason, 'Save the page with its text.');
    if (reason) skip(reason);
    else yield document;
  };
}

/** Reads a manual page. Many other files end in `.1`, such as logs and libraries. */
export async function loadMan(): Promise<Reader> {
  const { manKind, readManPage } = await import('./markup/man.ts');
  return async function* (input) {
    const text = await input.text();
    const kind = manKind(text);
    const skip = (reason: string, fix?: string) =>
      input.report({ kind: 'skipped', place: input.path, reason, ...(fix && { fix }) });
    if (kind === 'other') skip('unknown format');
    else if (kind === 'mdoc') skip('manual page with mdoc macros', 'Convert it with `mandoc -T html`.');
    else if (kind === 'redirection') skip('only names another manual page');
    else yield readManPage(text, input.source, input.path);
  };
}
