import type { Block } from '../../document.ts';
import { nestedTooDeep } from '../../nesting.ts';
import { tableText } from '../../table-text.ts';
import { BlockList } from '../block-list.ts';
import type { TexSource } from './source.ts';

/** Groups and environments. */
const MAX_OPEN = 1_000;

/** An open group or environment. Those with pieces collect their text. */
interface Open {
  environment?: string;
  pieces?: string[];
  close?: (text: string) => void;
  rows?: string[][];
}

/** Collects text into blocks: paragraphs, and the text of groups and environments. A footnote follows the paragraph of its mark. */
export class Flow {
  /** Headings have their depth as level. */
  readonly blocks: Block[] = [];
  readonly #path: string;
  readonly #open: Open[] = [];
  #pieces: string[] = [];
  #notes: string[] = [];
  #isInPreamble: boolean;

  /**
   * @param path of the file, for errors
   * @param isInPreamble whether text before `openDocument` is dropped
   */
  constructor(path: string, isInPreamble: boolean) {
    this.#path = path;
    this.#isInPreamble = isInPreamble;
  }

  /** Whether text is part of a heading, a cell or the like, rather than of a paragraph. */
  get isCaptured(): boolean {
    return this.#open.some(({ pieces }) => pieces !== undefined);
  }

  append(text: string): void {
    const pieces = this.#open.findLast((open) => open.pieces)?.pieces;
    if (pieces) pieces.push(text);
    else if (!this.#isInPreamble) this.#pieces.push(text);
  }

  endParagraph(): void {
    if (this.isCaptured) {
      this.append(' ');
      return;
    }
    this.#block('paragraph', tidy(this.#pieces.join('')));
    this.#pieces = [];
    const notes = this.#notes;
    this.#notes = [];
    for (const note of notes) this.#block('paragraph', note);
  }

  /** A block of its own, also inside a heading or cell. */
  whole(text: string): void {
    if (this.isCaptured) {
      this.append(text);
      return;
    }
    this.endParagraph();
    const list = new BlockList();
    list.paragraph(text);
    for (const block of list.blocks) this.#block('paragraph', block.text);
  }

  /** Collects the text of the next argument. */
  capture(source: TexSource, close: (text: string) => void): void {
    source.take(/\s*/y);
    if (source.peek() !== '{') {
      close(source.argument());
      return;
    }
    source.skip(1);
    this.#push({ pieces: [], close });
  }

  /** The next argument is a heading. */
  heading(source: TexSource, depth: number): void {
    source.option();
    this.endParagraph();
    this.capture(source, (text) => {
      if (this.isCaptured) this.append(` ${text} `);
      else this.#block('heading', text, depth);
    });
  }

  /** The next argument is a footnote. */
  note(source: TexSource): void {
    this.capture(source, (text) => {
      if (!this.#isInPreamble) this.#notes.push(text);
    });
  }

  openGroup(): void {
    this.#push({});
  }

  /** Closes the innermost group. An environment that is open in it stays open. */
  closeGroup(): void {
    if (this.#open.at(-1)?.environment === undefined) this.#pop();
  }

  /** Ends the preamble. */
  openDocument(): void {
    this.#isInPreamble = false;
    this.#open.length = 0;
    this.#pieces = [];
  }

  openEnvironment(name: string): void {
    this.#push({ environment: name });
  }

  openTable(name: string): void {
    const rows: string[][] = [[]];
    const close = () => this.whole(tableText(rows.filter((row) => row.some((cell) => cell !== ''))));
    this.#push({ environment: name, pieces: [], rows, close });
  }

  /** Closes an environment and everything in it. */
  closeEnvironment(name: string): void {
    const at = this.#open.findLastIndex(({ environment }) => environment === name);
    if (at < 0) return;
    while (this.#open.length > at + 1) this.#pop();
    if (this.#open.at(-1)?.rows) this.endCell();
    this.#pop();
    if (!this.isCaptured) this.endParagraph();
  }

  endCell(): void {
    const table = this.#open.at(-1);
    if (!table?.rows) {
      this.append(' ');
      return;
    }
    table.rows.at(-1)!.push(tidy(table.pieces!.join('')).replaceAll('\n', ' '));
    table.pieces = [];
  }

  /** The end of a line, or of a row of a table. */
  breakLine(): void {
    const table = this.#open.at(-1);
    if (!table?.rows) {
      this.append('\n');
      return;
    }
    this.endCell();
    table.rows.push([]);
  }

  /** The end of the text. */
  close(): void {
    while (this.#open.length > 0) this.#pop();
    this.endParagraph();
  }

  #push(open: Open): void {
    if (this.#open.length >= MAX_OPEN) throw nestedTooDeep(this.#path, MAX_OPEN);
    this.#open.push(open);
  }

  #pop(): void {
    const open = this.#open.pop();
    open?.close?.(tidy((open.pieces ?? []).join('')));
  }

  #block(kind: Block['kind'], text: string, level?: number): void {
    if (this.#isInPreamble || text.trim() === '') return;
    this.blocks.push(level === undefined ? { kind, text } : { kind, level, text: text.replace(/\s+/g, ' ') });
  }
}

function tidy(text: string): string {
  return text
    .replace(/[ \t\u00A0]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n+/g, '\n')
    .trim();
}
