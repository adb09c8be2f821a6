import { createHash } from 'node:crypto';
import { ACCESS, type Document } from './document.ts';
import { damaged, type InputFile, type Notice } from './file.ts';
import { type Format, formatOf, mayBeKnown, START, signature, sniff, unknownFormat } from './formats.ts';
import { Input, type ReadContext } from './input.ts';

/** Limits in UTF-16 code units of what an index stores with every passage of a document, and not only once. */
const MAX_METADATA = 16_384;
const MAX_URL = 2_000;
const MAX_ID = 1_000;
const MAX_SOURCE = 4_096;
const MAX_ANCHOR = 1_000;
/** RFC 5646, 4.4.1. */
const MAX_LANG = 35;

/**
 * Returns a function that limits what every passage of a document repeats. Leaves out metadata that exceeds the limit, and reports
 * that once for the file. Leaves out longer addresses, anchors and language tags. A longer id becomes its SHA-256 digest.
 */
function repeatedLimits(file: InputFile, report: (notice: Notice) => void): (document: Document) => Document {
  let isReported = false;
  return (document) => {
    const { source, id, url, lang, metadata, blocks } = document;
    const kept = metadata && limited(metadata);
    if (kept !== metadata && !isReported) {
      isReported = true;
      const fix = `Fields are left out where the metadata of a document exceeds ${MAX_METADATA.toLocaleString('en')} characters.`;
      report({ kind: 'skipped', place: file.path, reason: 'too much metadata', fix });
    }
    return {
      ...document,
      source: source.length > MAX_SOURCE ? file.source : source,
      id: id !== undefined && id.length > MAX_ID ? createHash('sha256').update(id).digest('hex') : id,
      url: short(url, MAX_URL),
      lang: short(lang, MAX_LANG),
      metadata: kept,
      blocks: blocks.some(({ anchor }) => short(anchor, MAX_ANCHOR) !== anchor)
        ? blocks.map((block) => ({ ...block, anchor: short(block.anchor, MAX_ANCHOR) }))
        : blocks,
    };
  };
}

/** The text of a document, in UTF-16 code units. */
function lengthOf({ title = '', blocks }: Document): number {
  return blocks.reduce((sum, { text, anchor = '' }) => sum + text.length + anchor.length, title.length);
}

function short(text: string | undefined, length: number): string | undefined {
  return text !== undefined && text.length > length ? undefined : text;
}

/** The fields that fit, in order; the same object if all do. */
function limited(metadata: NonNullable<Document['metadata']>): Document['metadata'] {
  let left = MAX_METADATA;
  const fields = Object.entries(metadata);
  const kept = fields.filter((field) => {
    const { length } = JSON.stringify(field);
    const fits = length <= left || field[0] === ACCESS;
    if (fits) left -= length;
    return fits;
  });
  return kept.length === fields.length ? metadata : Object.fromEntries(kept);
}

/**
 * The format of a file. PDF files and archives are known by their first bytes, whatever their names are. Files without a suffix are
 * known by their content.
 */
async function formatIn(file: InputFile, depth: number): Promise<Format | undefined> {
  const name = file.extension ?? file.source;
  const named = formatOf(name);
  if (!mayBeKnown(name) || (named && (depth > 0 || named.isOften !== 'other'))) return named;
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
    const read = await format.load();
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
      const { lang, access, metadata: given } = context.options;
      const metadata = { ...(access && { [ACCESS]: access }), ...given, ...document.metadata };
      const hasMetadata = Object.keys(metadata).length > 0;
      yield {
        ...document,
        url: url ?? file.url,
        lang: document.lang ?? lang,
        ...(hasMetadata && { metadata }),
      };
    }
    if (silent) context.report({ kind: 'skipped', place: file.path, reason: 'no text' });
  } catch (error) {
    context.report(damaged(file.path, error).notice);
  }
}

/**
 * Whether an address is relative, or has the scheme http or https. Callers of the endpoint show addresses as links, and one such as
 * `javascript:` would run a script of the document on their page.
 */
function isWebAddress(url: string | undefined): boolean {
  return url !== undefined && (!URL.canParse(url) || /^https?:$/.test(new URL(url).protocol));
}
