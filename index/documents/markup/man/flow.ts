import { BlockList } from '../block-list.ts';

/** Fills text into paragraphs, as roff does. */
export class Flow {
  readonly list = new BlockList();
  #lines: string[] = [];
  #pieces: string[] = [];
  #isPreformatted = false;
  #joinsNext = false;

  /** A line of text. Indentation begins a new line. */
  text(text: string, joinsNext = false): void {
    if (this.#isPreformatted && !this.#joinsNext) {
      this.breakLine();
      this.#pieces.push(text.trimEnd());
    } else {
      if (/^[ \t]/.test(text)) this.breakLine();
      const content = this.#isPreformatted ? text.trimEnd() : text.replace(/[ \t]+/g, ' ').trim();
      if (content !== '')
        this.#pieces.push((this.#joinsNext || this.#pieces.length === 0 ? '' : ' ') + content);
    }
    this.#joinsNext = joinsNext;
  }

  breakLine(): void {
    if (this.#pieces.length > 0) this.#lines.push(this.#pieces.join(''));
    this.#pieces = [];
    this.#joinsNext = false;
  }

  /** An empty line: kept in preformatted text, else the end of the paragraph. */
  blank(): void {
    if (!this.#isPreformatted) this.endParagraph();
    else {
      this.breakLine();
      this.#lines.push('');
    }
  }

  endParagraph(): void {
    this.breakLine();
    this.list.paragraph(this.#lines.join('\n'));
    this.#lines = [];
  }

  /** Begins or ends preformatted text. */
  preformat(on: boolean): void {
    if (on === this.#isPreformatted) return;
    this.breakLine();
    if (on) this.endParagraph();
    this.#isPreformatted = on;
    if (!on) this.endParagraph();
  }

  heading(level: number, text: string): void {
    this.#isPreformatted = false;
    this.endParagraph();
    this.list.heading(level, text);
  }

  /** A table: rows of cells. */
  table(rows: string[][]): void {
    this.endParagraph();
    this.list.paragraph(rows.map((row) => row.join(' | ')).join('\n'));
  }
}
