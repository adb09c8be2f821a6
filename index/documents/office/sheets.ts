import { contentIds } from '../content-id.ts';
import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { missingNames } from '../records/roles.ts';
import { readTable, type TableRow } from '../records/table.ts';
import { tableBlock } from './flow.ts';
import { noText } from './office-package.ts';

/** A row of a spreadsheet with text, as a user sees it. */
export interface SheetRow {
  sheet: string;
  /** 1-based, as the program shows it. */
  number: number;
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
 * Turns the rows of sheets into documents. If a sheet is a table (a header row, then rows with several cells), each row is a record, as
 * in a CSV file. Any other sheet is one document with a line per row. Titles begin with the sheet's name.
 * @throws Unreadable `no text`
 */
export async function* sheetDocuments(rows: AsyncIterable<SheetRow>, input: Input): AsyncGenerator<Document> {
  const idOf = contentIds(input.source);
  const ids = new Set<string>();
  const iterator = rows[Symbol.asyncIterator]();
  let next = await iterator.next();
  if (next.done) throw noText(input);
  while (!next.done) {
    const sheet = next.value.sheet;
    async function* ofSheet(): AsyncGenerator<SheetRow> {
      for (; !next.done && next.value.sheet === sheet; next = await iterator.next()) yield next.value;
    }
    for await (const document of documentsOf(ofSheet(), input)) {
      let id = document.id ?? idOf(document.blocks.map(({ text }) => text).join('\n'));
      // Records of two sheets may be equal, or have numbers from 1 as ids.
      if (ids.has(id)) id = idOf(`${sheet}\n${id}`);
      ids.add(id);
      yield { ...document, id, title: titleIn(sheet, document, input) };
    }
  }
}

/** The title of a record that no mapping names says little without the name of its sheet. */
function titleIn(sheet: string, { title }: Document, { options }: Input): string | undefined {
  if (UNNAMED.test(sheet) || (title && options.fields?.title)) return title;
  return title ? `${sheet} › ${title}` : sheet;
}

async function* documentsOf(rows: AsyncGenerator<SheetRow>, input: Input): AsyncGenerator<Document> {
  const sample: SheetRow[] = [];
  for (let next = await rows.next(); !next.done; next = await rows.next())
    if (sample.push(next.value) === SAMPLE) break;
  const at = sample.findIndex(({ cells }) => filled(cells) > 1);
  const [header, ...records] = sample.slice(at).map(({ cells }) => cells);
  if (at === -1 || !header || at > MAX_ROWS_ABOVE || !isTable(header, records, input)) {
    yield* lines([sample, rows], input);
    return;
  }
  yield* lines([sample.slice(0, at)], input);
  const table = withPlaces([sample.slice(at), rows], input);
  const missing = missingNames(input.options.fields ?? {}, header);
  if (missing.length === 0) yield* readTable(input, table);
  else await reportMissing(missing, table, input);
}

/** Skips a table without the columns that a mapping names. Another sheet may have them. */
async function reportMissing(
  names: string[],
  table: AsyncIterable<TableRow>,
  { path, report }: Input,
): Promise<void> {
  let place = path;
  for await (const row of table) place = row.place.slice(0, row.place.lastIndexOf(':'));
  const list = names.map((name) => `"${name}"`).join(', ');
  report({ kind: 'failed', place, reason: 'no such field', fix: `Correct ${list} in \`fields\`.` });
}

type Rows = (Iterable<SheetRow> | AsyncIterable<SheetRow>)[];

async function* withPlaces(rows: Rows, { path }: Input): AsyncGenerator<TableRow> {
  for (const part of rows)
    for await (const { sheet, number, cells } of part) yield { place: `${path} (${sheet}):${number}`, cells };
}

/** Documents with a line from each row. */
async function* lines(rows: Rows, { source }: Input): AsyncGenerator<Document> {
  let waiting: string[][] = [];
  const flush = function* (): Generator<Document> {
    const block = tableBlock(waiting);
    waiting = [];
    if (block) yield { source, blocks: [block] };
  };
  for (const part of rows)
    for await (const { cells } of part) if (waiting.push(cells) === ROWS_PER_DOCUMENT) yield* flush();
  yield* flush();
}

/** Whether a row has the names of columns, those of the mapping or any, and the rows below have these columns. */
function isTable(header: string[], rows: string[][], { options }: Input): boolean {
  if (options.fields && missingNames(options.fields, header).length === 0) return true;
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
