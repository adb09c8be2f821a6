import type { Block, Document } from '../document.ts';
import { rejoin } from './layout.ts';
import { chunksOf, pageEdge } from './lines.ts';
import { isManualHeader } from './marks.ts';
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

/** The title of a plain text: the heading that it begins with, if any. */
export function titleOf(blocks: Block[]): string | undefined {
  return blocks[0]?.kind === 'heading' ? blocks[0].text : undefined;
}

/** Reads plain text. */
export function readText(text: string, source: string): Document {
  const blocks = textBlocks(text);
  return { source, title: titleOf(blocks), blocks };
}
