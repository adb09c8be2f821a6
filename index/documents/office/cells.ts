import type { Input } from '../input.ts';

/** The most columns that are read. */
export const MAX_COLUMNS = 1_000;
/** The most cells of a file, including empty ones before others in their row. */
const MAX_CELLS = 20_000_000;

/** Collects the cells of rows. A cell far to the right costs no more than `MAX_COLUMNS`. */
export class CellCollector {
  readonly #input: Input;
  #cells: string[] = [];
  #left = MAX_CELLS;
  #isCut = false;

  constructor(input: Input) {
    this.#input = input;
  }

  /** The 0-based column after the last one. */
  get next(): number {
    return this.#cells.length;
  }

  /**
   * Sets a cell of the open row.
   * @throws Unreadable `too large`
   */
  set(column: number, value: string): void {
    const text = value.replace(/\s+/g, ' ').trim();
    if (text === '') return;
    if (column >= MAX_COLUMNS) {
      this.#reportCut();
      return;
    }
    while (this.#cells.length < column) this.#push('');
    if (column < this.#cells.length) this.#cells[column] = text;
    else this.#push(text);
  }

  /** Ends the row. Returns its cells, up to the last one with text. */
  take(): string[] {
    const cells = this.#cells;
    this.#cells = [];
    return cells;
  }

  #push(text: string): void {
    if (--this.#left < 0) throw this.#input.failure('too large', 'Split it into smaller files.');
    this.#cells.push(text);
  }

  #reportCut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#input.report({
      kind: 'failed',
      place: this.#input.path,
      reason: 'too many columns',
      fix: `Only the first ${MAX_COLUMNS.toLocaleString('en')} are read. Split it into smaller files.`,
    });
  }
}
