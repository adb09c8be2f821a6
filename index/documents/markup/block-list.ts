import { type Block, tableText } from '../document.ts';

/** Collects the blocks of a document, without empty ones. */
export class BlockList {
  readonly blocks: Block[] = [];
  #anchor: string | undefined;

  /** Gives the next block an anchor, unless it has its own. */
  anchorNext(anchor: string): void {
    this.#anchor = anchor;
  }

  /** The anchor that the next block would get. It gets none then. */
  takeAnchor(): string | undefined {
    const anchor = this.#anchor;
    this.#anchor = undefined;
    return anchor;
  }

  /** Adds blocks as they are. */
  add(blocks: Block[]): void {
    for (const block of blocks) this.#push(block, block.anchor);
  }

  heading(level: number, text: string, anchor?: string): void {
    const line = text.replace(/\s+/g, ' ').trim();
    if (line === '') return;
    this.#push({ kind: 'heading', level: Math.min(6, Math.max(1, level)), text: line }, anchor);
  }

  paragraph(text: string, anchor?: string): void {
    const content = text.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
    if (content === '') return;
    this.#push({ kind: 'paragraph', text: content }, anchor);
  }

  table(rows: string[][]): void {
    this.paragraph(tableText(rows));
  }

  #push(block: Block, own: string | undefined): void {
    const anchor = own ?? this.#anchor;
    this.blocks.push(anchor === undefined ? block : { ...block, anchor });
    this.#anchor = undefined;
  }
}
