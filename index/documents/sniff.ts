import { manKind } from './markup/man.ts';

/** Bytes that tell the format. */
export const START = 4096;

/**
 * The format of a file by its first bytes, as the end of a file name such as `.pdf`; undefined if it is no known one and no text.
 */
export function sniff(start: Buffer): string | undefined {
  const binary = signature(start);
  if (binary !== undefined) return binary;
  // A character may be cut at the end.
  const text = new TextDecoder().decode(start, { stream: true }).replace(/^\uFEFF/, '');
  if (start.length === 0 || /[\p{Cc}\uFFFD]/u.test(text.replace(/[\t\n\f\r]/g, ''))) return undefined;
  if (/^\s*<(?:!doctype html|html)[\s>]/i.test(text)) return '.html';
  if (/^\s*<\?xml\s/.test(text)) return /<html[\s>]/i.test(text) ? '.html' : '.xml';
  if (/^From \S+ .*\d\d:\d\d/.test(text)) return '.mbox';
  if (/^(?:Return-Path|Received|Message-ID|MIME-Version|Date|From): .*\n(?:[\w-]+: |\s)/i.test(text))
    return '.eml';
  if (/^\s*[[{]\s*["{[]/.test(text)) return '.json';
  return manKind(text) === 'other' ? '.txt' : '.man';
}

/** The format of a file that begins with bytes of its own. */
export function signature(start: Buffer): string | undefined {
  const latin = start.toString('latin1');
  if (latin.startsWith('%PDF-')) return '.pdf';
  if (latin.startsWith('\x1f\x8b')) return '.gz';
  if (!latin.startsWith('PK\x03\x04')) return undefined;
  const [, type] =
    /^mimetype(?:application\/)?(epub|vnd\.oasis\.opendocument\.\w+)/.exec(latin.slice(30)) ?? [];
  if (type) return type === 'epub' ? '.epub' : OPEN_DOCUMENT[type.slice(type.lastIndexOf('.') + 1)];
  if (!latin.includes('[Content_Types].xml')) return '.zip';
  const [, folder] = /(word|ppt|xl)\//.exec(latin) ?? [];
  return folder && OFFICE[folder];
}

const OPEN_DOCUMENT: Record<string, string> = { text: '.odt', presentation: '.odp', spreadsheet: '.ods' };
const OFFICE: Record<string, string> = { word: '.docx', ppt: '.pptx', xl: '.xlsx' };
