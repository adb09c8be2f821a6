import { contentIds } from '../content-id.ts';
import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { tableBlock } from './flow.ts';
import { noText } from './package.ts';

/** A row of a spreadsheet with text, as a user sees it. */
export interface SheetRow {
  sheet: string;
  cells: string[];
}

/** How many rows decide whether a sheet is a table. */
const SAMPLE = 50;
/** The part of them that must have several cells, as records have. */
const LEAST_RECORDS = 0.7;
const MAX_HEADER_LENGTH = 100;
/** A table may have a title above it. */
const MAX_ROWS_ABOVE = 5;
/** Sheets that are no tables become a document per this many rows. */
const ROWS_PER_DOCUMENT = 10_000;
/** Names that programs give to sheets. */
const UNNAMED =
  /^(?:sheet|tabelle|feuil|feuille|hoja|foglio|planilha|folha|лист|аркуш|arkusz|sayfa|list|blad|ark|munkalap|φύλλο|גיליון|ورقة|工作表|シート|시트|trang tính) ?\d+$/iu;

/**
 * Turns the rows of sheets into documents. If a sheet is a table (a header row, then rows with several cells), each row is a document
 * with a line per column. Any other sheet is one document with a line per row. The title is the sheet's name.
 * @throws Unreadable `no text`
 */
export async function* sheetDocuments(rows: AsyncIterable<SheetRow>, input: Input): AsyncGenerator<Document> {
  const idOf = contentIds(input.source);
  let sheet: SheetDocuments | undefined;
  for await (const { sheet: name, cells } of rows) {
    if (sheet?.name !== name) {
      if (sheet) yield* sheet.end();
      sheet = new SheetDocuments(name, input.source, idOf);
    }
    yield* sheet.add(cells);
  }
  if (!sheet) throw noText(input);
  yield* sheet.end();
}

/** Collects the documents of one sheet. */
class SheetDocuments {
  readonly name: string;
  readonly #source: string;
  readonly #idOf: (text: string) => string;
  /** Rows before it is known whether they are a table; then those of the next document. */
  #rows: string[][] = [];
  /** The columns of a table. */
  #header: string[] | undefined;
  #isDecided = false;

  constructor(name: string, source: string, idOf: (text: string) => string) {
    this.name = name;
    this.#source = source;
    this.#idOf = idOf;
  }

  *add(cells: string[]): Generator<Document> {
    if (this.#header) yield* this.#record(this.#header, cells);
    else this.#rows.push(cells);
    if (!this.#isDecided && this.#rows.length === SAMPLE) yield* this.#decide();
    if (this.#rows.length === ROWS_PER_DOCUMENT) yield* this.#lines();
  }

  *end(): Generator<Document> {
    if (!this.#isDecided) yield* this.#decide();
    yield* this.#lines();
  }

  *#decide(): Generator<Document> {
    this.#isDecided = true;
    const sample = this.#rows;
    const at = sample.findIndex((row) => filled(row) > 1);
    const header = sample[at];
    if (!header || at > MAX_ROWS_ABOVE || !isTable(header, sample.slice(at + 1))) return;
    this.#header = header;
    this.#rows = sample.slice(0, at);
    yield* this.#lines();
    for (const row of sample.slice(at + 1)) yield* this.#record(header, row);
  }

  *#record(header: string[], cells: string[]): Generator<Document> {
    const lines = cells
      .map((cell, i) => (header[i] ? `${header[i]}: ${cell}` : cell))
      .filter((_, i) => cells[i] !== '');
    yield this.#document(lines.join('\n'));
  }

  *#lines(): Generator<Document> {
    const block = tableBlock(this.#rows);
    this.#rows = [];
    if (block) yield this.#document(block.text);
  }

  #document(text: string): Document {
    return {
      source: this.#source,
      id: this.#idOf(text),
      title: UNNAMED.test(this.name) ? undefined : this.name,
      blocks: [{ kind: 'paragraph', text }],
    };
  }
}

/** Whether rows have the columns that a header names. */
function isTable(header: string[], rows: string[][]): boolean {
  const names = header.filter((name) => name !== '');
  const isHeader =
    new Set(names).size === names.length &&
    names.length >= header.length - 1 &&
    names.every((name) => name.length <= MAX_HEADER_LENGTH && /\p{L}/u.test(name));
  const records = rows.filter((row) => filled(row) > 1 && row.length <= header.length);
  return isHeader && rows.length > 0 && records.length >= LEAST_RECORDS * rows.length;
}

function filled(row: string[]): number {
  return row.filter((cell) => cell !== '').length;
}
