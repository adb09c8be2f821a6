import type { Block, Document } from '../document.ts';
import { rejoin } from './layout.ts';
import { chunksOf, pageEdge } from './lines.ts';
import { isManualHeader } from './marks.ts';
import { WIDEST_PAGE } from './paragraphs.ts';
import { textParts } from './parts.ts';
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
export function plainBlocks(text: string): Block[] {
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
export function titleOf(blocks: Block[]): string | undefined {
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
