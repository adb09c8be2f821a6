import { createHash } from 'node:crypto';
import type { Document } from './document.ts';
import type { InputFile, Notice } from './file.ts';

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
export function repeatedLimits(
  file: InputFile,
  report: (notice: Notice) => void,
): (document: Document) => Document {
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
export function lengthOf({ title = '', blocks }: Document): number {
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
    const fits = length <= left;
    if (fits) left -= length;
    return fits;
  });
  return kept.length === fields.length ? metadata : Object.fromEntries(kept);
}
