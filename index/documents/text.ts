import type { Block, Document } from './document.ts';
import { heal } from './layout.ts';
import { paragraphs } from './paragraphs.ts';

/** The blocks of a plain text, with the traces of its page layout healed. */
export function textBlocks(text: string): Block[] {
  return heal(paragraphs(text));
}

/** The headline that a plain text opens with, if it does. */
export function titleOf(blocks: Block[]): string | undefined {
  return blocks[0]?.kind === 'heading' ? blocks[0].text : undefined;
}

/** Reads plain text. */
export function readText(text: string, source: string): Document {
  const blocks = textBlocks(text);
  return { source, title: titleOf(blocks), blocks };
}
