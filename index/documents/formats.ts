import type { Document } from './document.ts';
import type { InputFile, Notice } from './file.ts';
import type { Input, Reader } from './input.ts';
import { manKind } from './markup/man.ts';

/** Loads a reader, only when a file needs it. */
type Load = () => Promise<Reader>;

/** A document format. */
export interface Format {
  name: string;
  /** Ends of file names, in lower case. */
  extensions: string[];
  load: Load;
  /** Whether PDF files and archives often have its names, and are read as what they are. */
  isOften?: 'other';
}

/** Sections of manual pages, some with a suffix. Their reader skips other files with such names. */
const MAN =
  '.1 .2 .3 .4 .5 .6 .7 .8 .9 .1m .1p .1ssl .1x .3p .3perl .3pm .3posix .3ssl .3x .5ssl .7ssl .8p .man';
/** Formats of Office programs before 2007. */
const OLD_OFFICE = '.doc .rtf .xls .xlt .xlsb .ppt .pps';
const SUCCESSORS = { '.xls': '.xlsx', '.xlt': '.xlsx', '.xlsb': '.xlsx', '.ppt': '.pptx', '.pps': '.pptx' };

/** All formats: a name, ends of file names, and the reader. */
export const FORMATS: Format[] = [
  format('plain text', '.txt .text', async () => (await import('./plain/text.ts')).readPlainText, 'other'),
  ofText(
    'Markdown',
    '.md .markdown',
    async () => (await import('./markdown/markdown.ts')).readMarkdown,
    'other',
  ),
  ofText('MDX', '.mdx', async () => (await import('./markdown/mdx.ts')).readMdx),
  ofText('reStructuredText', '.rst .rest .rst.txt', async () => (await import('./markup/rst.ts')).readRst),
  ofText('TeX', '.tex .ltx .latex', async () => (await import('./markup/tex.ts')).readTex),
  ofText('subtitles', '.srt .vtt', async () => (await import('./markup/subtitles.ts')).readSubtitles),
  ofText('AsciiDoc', '.adoc .asciidoc .asc', async () => (await import('./markup/asciidoc.ts')).readAsciidoc),
  format('manual page', MAN, loadMan),
  format('HTML', '.html .htm .xhtml', loadHtml, 'other'),
  format('PDF', '.pdf', async () => (await import('./pdf/pdf.ts')).readPdf),
  ofFile('Word', '.docx .docm .dotx', async () => (await import('./office/word.ts')).readWord),
  ofFile(
    'PowerPoint',
    '.pptx .pptm .ppsx .potx',
    async () => (await import('./office/powerpoint.ts')).readPowerPoint,
  ),
  format('Excel', '.xlsx .xlsm .xltx', async () => (await import('./office/excel.ts')).readExcel),
  ofFile('OpenDocument text', '.odt .ott', async () => (await import('./office/open-document.ts')).readOdt),
  ofFile(
    'OpenDocument presentation',
    '.odp .otp',
    async () => (await import('./office/open-document.ts')).readOdp,
  ),
  format('OpenDocument spreadsheet', '.ods .ots', async () => (await import('./office/calc.ts')).readCalc),
  ofFile('EPUB', '.epub', async () => (await import('./office/epub.ts')).readEpub),
  format('old Office', OLD_OFFICE, notRead('old Office format', '.docx', SUCCESSORS), 'other'),
  format('JSON Lines', '.jsonl .ndjson', async () => (await import('./records/json.ts')).readJsonl),
  format('CSV', '.csv .tsv .tab', async () => (await import('./records/csv.ts')).readCsv, 'other'),
  format('JSON', '.json .geojson .jsonld', async () => (await import('./records/json.ts')).readJson, 'other'),
  format('YAML', '.yaml .yml', async () => (await import('./records/json.ts')).readYaml),
  format(
    'XML',
    '.xml .rss .atom .dbk .docbook .page .tei',
    async () => (await import('./xml/xml.ts')).readXml,
    'other',
  ),
  format('zip', '.zip', async () => (await import('./archive/archives.ts')).readZip),
  format('tar', '.tar', async () => (await import('./archive/archives.ts')).readTar),
  format('gzip', '.gz .tgz', async () => (await import('./archive/archives.ts')).readGzip),
  format('saved page', '.mhtml .mht', async () => (await import('./mail/mail.ts')).readSavedPage),
  format('e-mail', '.eml', async () => (await import('./mail/mail.ts')).readMessage),
  format('mailbox', '.mbox', async () => (await import('./mail/mail.ts')).readMailbox),
  format('Outlook message', '.msg', notRead('Outlook format', '.eml')),
  format('Jupyter notebook', '.ipynb', async () => (await import('./notebook.ts')).readNotebook),
];

function format(name: string, extensions: string, load: Load, isOften?: 'other'): Format {
  return { name, extensions: extensions.split(' '), load, isOften };
}

/** A format whose files are a text of one document each. */
function ofText(
  name: string,
  extensions: string,
  load: () => Promise<(text: string, source: string, path: string) => Document | Promise<Document>>,
  isOften?: 'other',
): Format {
  const reader: Load = async () => {
    const read = await load();
    return async function* (input) {
      yield await read(await input.text(), input.source, input.path);
    };
  };
  return format(name, extensions, reader, isOften);
}

/** A format whose files are one document each. */
function ofFile(
  name: string,
  extensions: string,
  load: () => Promise<(input: Input) => Promise<Document>>,
): Format {
  const reader: Load = async () => {
    const read = await load();
    return async function* (input) {
      yield await read(input);
    };
  };
  return format(name, extensions, reader);
}

/** Frames of a page that a browser saved, beside the page. */
const FRAME = /_files\/saved_resource(?:\(\d+\))?\.html?$/i;

/** A format that is not read, because its programs save others too. `successors` are those by the end of the file name. */
function notRead(reason: string, usual: string, successors: Record<string, string> = {}): Load {
  // biome-ignore lint/correctness/useYield: no file has documents
  const read: Reader = async function* (input) {
    const extension = input.path.slice(input.path.lastIndexOf('.')).toLowerCase();
    throw input.failure(reason, `Save it as ${successors[extension] ?? usual} and build again.`);
  };
  return async () => read;
}

/** Reads a page, unless it is a part of another. */
async function loadHtml(): Promise<Reader> {
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
async function loadMan(): Promise<Reader> {
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
