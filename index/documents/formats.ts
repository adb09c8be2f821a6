import type { Document } from './document.ts';
import { type InputFile, type Notice, Unreadable } from './file.ts';
import { Input, type ReadContext, type Reader } from './input.ts';
import { lengthOf, repeatedLimits } from './repeated.ts';
import { START, signature, sniff } from './sniff.ts';

/** A document format. */
export interface Format {
  name: string;
  /** Ends of file names, in lower case. */
  extensions: string[];
  /** Loads its reader, only when a file needs it. */
  load: () => Promise<{ read: Reader }>;
}

/** Sections of manual pages, some with a suffix. Their reader skips other files with such names. */
const MAN_EXTENSIONS =
  '.1 .2 .3 .4 .5 .6 .7 .8 .9 .1m .1p .1ssl .1x .3p .3perl .3pm .3posix .3ssl .3x .5ssl .7ssl .8p .man'.split(
    ' ',
  );

/** All formats. One line each. */
export const FORMATS: Format[] = [
  { name: 'plain text', extensions: ['.txt', '.text'], load: () => import('./formats/text.ts') },
  { name: 'Markdown', extensions: ['.md', '.markdown'], load: () => import('./formats/markdown.ts') },
  { name: 'MDX', extensions: ['.mdx'], load: () => import('./formats/mdx.ts') },
  {
    name: 'reStructuredText',
    extensions: ['.rst', '.rest', '.rst.txt'],
    load: () => import('./formats/rst.ts'),
  },
  { name: 'TeX', extensions: ['.tex', '.ltx', '.latex'], load: () => import('./formats/tex.ts') },
  { name: 'subtitles', extensions: ['.srt', '.vtt'], load: () => import('./formats/subtitles.ts') },
  {
    name: 'AsciiDoc',
    extensions: ['.adoc', '.asciidoc', '.asc'],
    load: () => import('./formats/asciidoc.ts'),
  },
  { name: 'manual page', extensions: MAN_EXTENSIONS, load: () => import('./formats/man.ts') },
  { name: 'HTML', extensions: ['.html', '.htm', '.xhtml'], load: () => import('./formats/html.ts') },
  { name: 'PDF', extensions: ['.pdf'], load: () => import('./formats/pdf.ts') },
  { name: 'Word', extensions: ['.docx', '.docm', '.dotx'], load: () => import('./formats/docx.ts') },
  {
    name: 'PowerPoint',
    extensions: ['.pptx', '.pptm', '.ppsx', '.potx'],
    load: () => import('./formats/pptx.ts'),
  },
  { name: 'Excel', extensions: ['.xlsx', '.xlsm', '.xltx'], load: () => import('./formats/xlsx.ts') },
  { name: 'OpenDocument text', extensions: ['.odt', '.ott'], load: () => import('./formats/odt.ts') },
  { name: 'OpenDocument presentation', extensions: ['.odp', '.otp'], load: () => import('./formats/odp.ts') },
  { name: 'OpenDocument spreadsheet', extensions: ['.ods', '.ots'], load: () => import('./formats/ods.ts') },
  { name: 'EPUB', extensions: ['.epub'], load: () => import('./formats/epub.ts') },
  {
    name: 'old Office',
    extensions: ['.doc', '.rtf', '.xls', '.xlt', '.xlsb', '.ppt', '.pps'],
    load: () => import('./formats/old-office.ts'),
  },
  { name: 'JSON Lines', extensions: ['.jsonl', '.ndjson'], load: () => import('./formats/jsonl.ts') },
  { name: 'CSV', extensions: ['.csv', '.tsv', '.tab'], load: () => import('./formats/csv.ts') },
  { name: 'JSON', extensions: ['.json', '.geojson', '.jsonld'], load: () => import('./formats/json.ts') },
  { name: 'YAML', extensions: ['.yaml', '.yml'], load: () => import('./formats/openapi.ts') },
  {
    name: 'XML',
    extensions: ['.xml', '.rss', '.atom', '.dbk', '.docbook', '.page', '.tei'],
    load: () => import('./formats/xml.ts'),
  },
  { name: 'zip', extensions: ['.zip'], load: () => import('./formats/zip.ts') },
  { name: 'tar', extensions: ['.tar'], load: () => import('./formats/tar.ts') },
  { name: 'gzip', extensions: ['.gz', '.tgz'], load: () => import('./formats/gzip.ts') },
  { name: 'WARC', extensions: ['.warc', '.warc.gz'], load: () => import('./formats/warc.ts') },
  { name: 'saved page', extensions: ['.mhtml', '.mht'], load: () => import('./formats/mhtml.ts') },
  { name: 'e-mail', extensions: ['.eml'], load: () => import('./formats/eml.ts') },
  { name: 'Outlook message', extensions: ['.msg'], load: () => import('./formats/msg.ts') },
  { name: 'Jupyter notebook', extensions: ['.ipynb'], load: () => import('./formats/ipynb.ts') },
  { name: 'mailbox', extensions: ['.mbox'], load: () => import('./formats/mbox.ts') },
];

/** Formats of text, whose files are read as what they are if they are PDF files or archives. */
const TEXTS = new Set(['plain text', 'Markdown', 'HTML', 'old Office', 'CSV', 'XML', 'JSON']);

/** The format of a file name: the one with the longest matching end. */
export function formatOf(name: string): Format | undefined {
  const lower = name.toLowerCase();
  let best: { format: Format; length: number } | undefined;
  for (const format of FORMATS)
    for (const { length } of format.extensions.filter((extension) => lower.endsWith(extension)))
      if (length > (best?.length ?? 0)) best = { format, length };
  return best?.format;
}

/** Whether a file may have a known format: by the end of its name, or by its content, if its name has no such end. */
export function mayBeKnown(name: string): boolean {
  return formatOf(name) !== undefined || suffixOf(name) === '';
}

/** The notice for a file of unknown format. Its reason contains the suffix, because summaries group by it. */
export function unknownFormat({
  source,
  extension,
  path,
}: Pick<InputFile, 'source' | 'extension' | 'path'>): Notice {
  const suffix = suffixOf(extension ?? source);
  return { kind: 'skipped', place: path, reason: suffix ? `unknown format ${suffix}` : 'unknown format' };
}

function suffixOf(name: string): string {
  return /[^/](\.[^./\s]{1,20})$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/**
 * The format of a file. PDF files and archives are known by their first bytes, whatever their names are. Files without a suffix are
 * known by their content.
 */
async function formatIn(file: InputFile, depth: number): Promise<Format | undefined> {
  const name = file.extension ?? file.source;
  const named = formatOf(name);
  if (!mayBeKnown(name) || (named && (depth > 0 || !TEXTS.has(named.name)))) return named;
  const start = await startOf(file);
  const found = named ? signature(start) : sniff(start);
  return found === undefined ? named : formatOf(found);
}

async function startOf(file: InputFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of file.open()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= START) break;
  }
  return Buffer.concat(chunks).subarray(0, START);
}

/**
 * Reads the documents of a file. Reports a file of unknown format, and a file that cannot be read; documents before the problem are
 * kept.
 */
export async function* readFile(file: InputFile, context: ReadContext): AsyncGenerator<Document> {
  try {
    const format = await formatIn(file, context.depth);
    if (!format) {
      context.report(unknownFormat(file));
      return;
    }
    const { read } = await format.load();
    let silent = true;
    const report = (notice: Notice) => {
      silent = false;
      context.report(notice);
    };
    const input = new Input(file, { ...context, report });
    const limit = repeatedLimits(file, report);
    for await (const whole of read(input)) {
      if (!whole.blocks.some(({ text }) => text.trim() !== '')) continue;
      silent = false;
      const document = limit(whole);
      if (context.depth === 0) input.inflation.addText(lengthOf(document), file.path);
      const url = isWebAddress(document.url) ? document.url : undefined;
      yield { ...document, url: url ?? file.url, lang: document.lang ?? context.options.lang };
    }
    if (silent) context.report({ kind: 'skipped', place: file.path, reason: 'no text' });
  } catch (error) {
    if (error instanceof Unreadable) context.report(error.notice);
    else context.report(unexpected(file, error));
  }
}

/**
 * Whether an address is relative, or has the scheme http or https. Callers of the endpoint show addresses as links, and one such as
 * `javascript:` would run a script of the document on their page.
 */
function isWebAddress(url: string | undefined): boolean {
  return url !== undefined && (!URL.canParse(url) || /^https?:$/.test(new URL(url).protocol));
}

/** The notice for an error of a parser. */
function unexpected({ path }: InputFile, error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'failed' as const,
    place: path,
    reason: 'damaged',
    fix: `Save it again with the program that made it (${message.replace(`${path}: `, '')}).`,
  };
}
