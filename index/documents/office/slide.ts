import type { Block } from '../document.ts';
import { blockOf, Flow } from './flow.ts';

/**
 * Collects the parts of a slide: its title, its text in reading order, and the speaker notes. The heading starts with the slide's
 * number, because no viewer opens a slide by a link: `3. Results`, or `Slide 3` without a title.
 */
export class Slide {
  readonly #number: number;
  readonly #title = new Flow();
  readonly #body = new Flow();
  readonly #notes = new Flow();
  #isInNotes = false;
  #titleDepth = 0;

  constructor(number: number) {
    this.#number = number;
  }

  /** Where text goes now. */
  get flow(): Flow {
    if (this.#titleDepth > 0) return this.#title;
    return this.#isInNotes ? this.#notes : this.#body;
  }

  /** @param role of the frame, such as `title` */
  openFrame(role: string, depth: number): void {
    if (role === 'title' && !this.#isInNotes && this.#titleDepth === 0) this.#titleDepth = depth;
  }

  closeFrame(depth: number): void {
    if (this.#titleDepth === depth) this.#titleDepth = 0;
  }

  /** All later text is notes. */
  openNotes(): void {
    this.#isInNotes = true;
  }

  get title(): string {
    return this.#title.blocks.map(({ text }) => text).join(' ');
  }

  /** None for a slide without text. */
  get blocks(): Block[] {
    const { title } = this;
    const text = [...this.#body.blocks, ...this.#notes.blocks].map(asParagraph);
    if (title === '' && text.length === 0) return [];
    const heading = blockOf(title === '' ? `Slide ${this.#number}` : `${this.#number}. ${title}`, 2);
    return [...(heading ? [heading] : []), ...text];
  }
}

/** Programs mark some text on slides as headings, such as that of outline shapes. The slide's title is its only heading. */
function asParagraph({ kind, text }: Block): Block {
  return kind === 'heading' ? { kind: 'paragraph', text } : { kind, text };
}
