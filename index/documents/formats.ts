import type { Document } from './document.ts';
import type { InputFile, Notice } from './file.ts';
import type { Input, Reader } from './input.ts';
import { manKind, readMan } from './markup/man.ts';

/** Loads a reader, only when a file needs it. */
type Load = () => Promise<Reader>;

/** A document format. */
export interface Format {
  /** Ends of file names, in lower case. */
  extensions: string[];
  load: Load;
  /** Whether PDF files and archives often have its names, and are read as what they are. */
  isOften?: 'other';
}

/** Sections of manual pages, some with a suffix. Their reader skips other files with such names. */
const MAN =
  '.1 .2 .3 .4 .5 .6 .7 .8 .9 .1m .1p .1ssl .1x .3p .3perl .3pm .3posix .3ssl .3x .5ssl .7ssl .8p .man';

/** The formats that are read. */
export const FORMATS: Format[] = [
  format('.txt .text', async () => (await import('./plain/text.ts')).readPlainText, 'other'),
  format('.md .markdown', async () => ofText((await import('./markdown/markdown.ts')).readMarkdown), 'other'),
  format('.mdx', async () => ofText((await import('./markdown/mdx.ts')).readMdx)),
  format('.rst .rest .rst.txt', async () => ofText((await import('./markup/rst.ts')).readRst)),
  format('.srt .vtt', async () => ofText((await import('./markup/subtitles.ts')).readSubtitles)),
  format('.adoc .asciidoc .asc', async () => ofText((await import('./markup/asciidoc.ts')).readAsciidoc)),
  format(MAN, async () => readMan),
  format('.html .htm .xhtml', async () => (await import('./html/html-page.ts')).readHtml, 'other'),
  format('.pdf', async () => (await import('./pdf/pdf.ts')).readPdf),
  format('.docx .docm .dotx', async () => ofFile((await import('./office/word.ts')).readWord)),
  format('.pptx .pptm .ppsx .potx', async () =>
    ofFile((await import('./office/powerpoint.ts')).readPowerPoint),
  ),
  format('.xlsx .xlsm .xltx', async () => (await import('./office/excel.ts')).readExcel),
  format('.odt .ott', async () => ofFile((await import('./office/open-document.ts')).readOdt)),
  format('.odp .otp', async () => ofFile((await import('./office/open-document.ts')).readOdp)),
  format('.ods .ots', async () => (await import('./office/calc.ts')).readCalc),
  format('.epub', async () => ofFile((await import('./office/epub.ts')).readEpub)),
  format('.jsonl .ndjson', async () => (await import('./records/json.ts')).readJsonl),
  format('.csv .tsv .tab', async () => (await import('./records/csv.ts')).readCsv, 'other'),
  format('.json .geojson .jsonld', async () => (await import('./records/json.ts')).readJson, 'other'),
  format('.yaml .yml', async () => (await import('./records/json.ts')).readYaml),
  format(
    '.xml .rss .atom .dbk .docbook .page .tei',
    async () => (await import('./xml/xml.ts')).readXml,
    'other',
  ),
  format('.zip', async () => (await import('./archive/archives.ts')).readZip),
  format('.tar', async () => (await import('./archive/archives.ts')).readTar),
  format('.gz .tgz', async () => (await import('./archive/archives.ts')).readGzip),
  format('.mhtml .mht', async () => (await import('./mail/mail.ts')).readSavedPage),
  format('.eml', async () => (await import('./mail/mail.ts')).readMessage),
  format('.mbox', async () => (await import('./mail/mail.ts')).readMailbox),
  format('.ipynb', async () => (await import('./notebook.ts')).readNotebook),
];

/** The usual end of each format's file names. */
export const FORMAT_NAMES = FORMATS.map(({ extensions }) => extensions[0]!)
  .map((name) => (name === '.1' ? 'manual pages' : name))
  .join(', ');

/** Formats that are not read, because their programs save others. */
const NOT_READ = [
  notRead('.doc .rtf', 'failed', 'old Office format', 'Save it as .docx and build again.'),
  notRead('.xls .xlt .xlsb', 'failed', 'old Office format', 'Save it as .xlsx and build again.'),
  notRead('.ppt .pps', 'failed', 'old Office format', 'Save it as .pptx and build again.'),
  notRead('.msg', 'failed', 'Outlook format', 'Save it as .eml and build again.'),
  notRead('.tex .ltx .latex', 'skipped', 'TeX source', 'Build it as PDF or HTML and index that.'),
];

const BY_EXTENSION = new Map(
  [...FORMATS, ...NOT_READ].flatMap((format) => format.extensions.map((extension) => [extension, format])),
);

function format(extensions: string, load: Load, isOften?: 'other'): Format {
  return { extensions: extensions.split(' '), load, isOften };
}

function notRead(extensions: string, kind: Notice['kind'], reason: string, fix: string): Format {
  // biome-ignore lint/correctness/useYield: no file has documents
  const read: Reader = async function* ({ path, report }) {
    report({ kind, place: path, reason, fix });
  };
  return format(extensions, async () => read, 'other');
}

/** The reader of files that are a text of one document each. */
function ofText(read: (text: string, source: string, path: string) => Document | Promise<Document>): Reader {
  return ofFile(async (input) => read(await input.text(), input.source, input.path));
}

/** The reader of files that are one document each. */
function ofFile(read: (input: Input) => Promise<Document>): Reader {
  return async function* (input) {
    yield await read(input);
  };
}

/** The format of a file name: the one with the longest matching end. */
export function formatOf(name: string): Format | undefined {
  const lower = name.toLowerCase();
  const dots = [...lower.matchAll(/\./g)];
  return dots.map(({ index }) => BY_EXTENSION.get(lower.slice(index))).find((format) => format);
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
