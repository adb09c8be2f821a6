import type { Block, Document } from '../document.ts';
import type { Reader } from '../input.ts';
import { rejoin } from './layout.ts';
import { chunksOf, pageEdge } from './lines.ts';
import { isManualHeader } from './list-marks.ts';
import { WIDEST_PAGE } from './paragraphs.ts';
import { piecesOf } from './pieces.ts';
import { segmentsOf } from './segments.ts';

/** Splits plain text into blocks, finds headings, and rejoins paragraphs that columns or page breaks split. */
export function textBlocks(text: string): Block[] {
  const chunks = chunksOf(text);
  const page = {
    edge: pageEdge(chunks, WIDEST_PAGE),
    isManual: chunks[0] !== undefined && isManualHeader(chunks[0].lines[0]!.text),
  };
  const segments = chunks.flatMap((chunk) => segmentsOf(chunk, page));
  return rejoin(piecesOf(segments, page));
}

/** Takes text as it is: each block between blank lines is a paragraph with its lines. */
function plainBlocks(text: string): Block[] {
  return text
    .replace(/\r\n?/g, '\n')
    .split(/\n(?:[^\S\n]*\n)+|\f/)
    .map((block) =>
      block
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n')
        .trim(),
    )
    .filter((block) => block !== '')
    .map((block): Block => ({ kind: 'paragraph', text: block }));
}

/** The title of a plain text: the heading that it begins with, if any. */
function titleOf(blocks: Block[]): string | undefined {
  return blocks[0]?.kind === 'heading' ? blocks[0].text : undefined;
}

/** Reads plain text. */
export function readText(text: string, source: string): Document {
  const blocks = textBlocks(text);
  return { source, title: titleOf(blocks), blocks };
}

/**
 * Reads plain text of any length in bounded memory: as one document, or in parts if it is long.
 * @param plain takes the text as it is
 */
export async function* readTextParts(
  chunks: AsyncIterable<string>,
  source: string,
  plain: boolean,
  size?: number,
): AsyncGenerator<Document> {
  const toBlocks = plain ? plainBlocks : textBlocks;
  let title: string | undefined;
  let part = 0;
  let waiting: Document | undefined;
  for await (const text of textParts(chunks, size)) {
    const blocks = toBlocks(text);
    if (blocks.length === 0) continue;
    if (!waiting) {
      title = plain ? undefined : titleOf(blocks);
      waiting = { source, title, blocks };
      continue;
    }
    yield { ...waiting, part: part++ };
    waiting = { source, title, blocks: withoutTitle(blocks) };
  }
  if (waiting) yield part === 0 ? waiting : { ...waiting, part };
}

/** A heading at the start of a later part is not the title of the document. */
function withoutTitle(blocks: Block[]): Block[] {
  return blocks.map((block) => (block.level === 1 ? { ...block, level: 2 } : block));
}

/** Parts have about this many UTF-16 code units. */
const PART = 2 ** 20;
/** A part ends at a blank line if one is this close to its end. */
const WINDOW = 2 ** 17;

/**
 * Cuts a stream of text into parts of bounded size: at a blank line if there is one near the end of a part, else at the end of a
 * line, else at a space, else anywhere between characters. Line ends become `\n`. The parts together are the text.
 */
export async function* textParts(chunks: AsyncIterable<string>, size = PART): AsyncGenerator<string> {
  let text = '';
  // A line end of two characters may be cut by a chunk.
  let held = '';
  for await (const chunk of chunks) {
    const whole = held + chunk;
    held = whole.endsWith('\r') ? '\r' : '';
    text += toLineFeeds(whole.slice(0, whole.length - held.length));
    while (text.length >= 2 * size) {
      const end = cutBefore(text, size);
      yield text.slice(0, end);
      text = text.slice(end);
    }
  }
  text += toLineFeeds(held);
  if (text.length <= size) yield text;
  else {
    const end = cutBefore(text, size);
    yield text.slice(0, end);
    yield text.slice(end);
  }
}

/** The best place for a cut at most `size` after the start. */
function cutBefore(text: string, size: number): number {
  const start = Math.max(1, size - WINDOW);
  const end = text.slice(start, size);
  const blank = lastEnd(end, /\n[^\S\n]*\n|\f/g) ?? lastEnd(end, /\n/g) ?? lastEnd(end, /\s/gu);
  if (blank !== undefined) return start + blank;
  const isPair = (text.charCodeAt(size) & 0xfc00) === 0xdc00;
  return isPair ? size + 1 : size;
}

/** The end of the last match. */
function lastEnd(text: string, pattern: RegExp): number | undefined {
  let end: number | undefined;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

function toLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** Reads a file of plain text. */
export const readPlainText: Reader = (input) =>
  readTextParts(input.chunks(), input.source, input.options.plain === true);
