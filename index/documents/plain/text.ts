import type { Block, Document } from '../document.ts';
import { rejoin } from './layout.ts';
import { paragraphs } from './paragraphs.ts';

/** Splits plain text into blocks, and rejoins paragraphs that were split by columns or page breaks. */
export function textBlocks(text: string): Block[] {
  return rejoin(paragraphs(text));
}

/** The title of a plain text: the headline that it begins with, if any. */
export function titleOf(blocks: Block[]): string | undefined {
  return blocks[0]?.kind === 'heading' ? blocks[0].text : undefined;
}

/** Reads plain text. */
export function readText(text: string, source: string): Document {
  const blocks = textBlocks(text);
  return { source, title: titleOf(blocks), blocks };
}
