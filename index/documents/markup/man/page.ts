import type { Document } from '../../document.ts';
import { readManMacros } from './macros.ts';
import { readMdoc } from './mdoc.ts';

/** Lines in which a page shows that it is one. */
const FIRST_LINES = 400;
const MDOC = /^[.'][ \t]*(?:Dd|Dt|Sh)\b/m;
const MAN = /^[.'][ \t]*(?:TH|SH)\b/m;
const REDIRECTION = /^[.'][ \t]*so[ \t]+\S/m;

/** `page`: a manual page; `redirection`: one that only names another; `other`: another text. */
export function manKind(text: string): 'page' | 'redirection' | 'other' {
  const start = text
    .slice(0, 100_000)
    .split(/\r\n?|\n/, FIRST_LINES)
    .join('\n');
  if (MDOC.test(start) || MAN.test(start)) return 'page';
  return REDIRECTION.test(start) ? 'redirection' : 'other';
}

/**
 * Reads a manual page with man or mdoc macros. The title is its name and section: `tar(1)`. The language is from its folder, such as
 * `man/pt_BR/man1`.
 */
export function readManPage(text: string, source: string, path = source): Document {
  const isMdoc = MDOC.test(text) && !/^[.'][ \t]*TH\b/m.test(text.slice(0, 20_000));
  const { name, section, blocks } = isMdoc ? readMdoc(text) : readManMacros(text);
  const [, fileName, fileSection] = /([^/\\]+)\.(\d\w*|man|mdoc)$/.exec(source) ?? [];
  const number = section?.trim() || (/^\d/.test(fileSection ?? '') ? fileSection : undefined);
  const own = [fileName, ...(blocks[1]?.text.split(/[\s,]+/).slice(0, 20) ?? [])].find(
    (word) => word?.toLowerCase() === name?.trim().toLowerCase(),
  );
  const base = own ?? (name?.trim() || fileName);
  const title = base && number ? `${base}(${number})` : base;
  return {
    source,
    title,
    lang: languageOf(path) ?? languageOf(source),
    blocks: title ? [{ kind: 'heading', level: 1, text: title }, ...blocks] : blocks,
  };
}

function languageOf(path: string): string | undefined {
  const folder = /(?:^|\/)([a-z]{2,3}(?:_[A-Z]{2})?)(?:[.@][^/]*)?\/man\d/.exec(path)?.[1];
  return folder?.replace('_', '-');
}
