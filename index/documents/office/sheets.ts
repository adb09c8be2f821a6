import { contentIds } from '../content-id.ts';
import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { tableBlock } from './flow.ts';
import { noText } from './package.ts';

/** A row of a spreadsheet with text, as a user sees it. */
export interface SheetRow {
  sheet: string;
  /** 1-based, as the program shows it. */
  number: number;
  cells: string[];
}

/** What the documents of a sheet have in common. */
interface Sheet {
  name: string;
  source: string;
  /** For the whole workbook, so that equal rows of its sheets have different ids. */
  idOf: (text: string) => string;
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
  const iterator = rows[Symbol.asyncIterator]();
  let next = await iterator.next();
  if (next.done) throw noText(input);
  while (!next.done) {
    const name = next.value.sheet;
    async function* ofSheet(): AsyncGenerator<SheetRow> {
      for (; !next.done && next.value.sheet === name; next = await iterator.next()) yield next.value;
    }
    yield* documentsOf({ name, source: input.source, idOf }, ofSheet());
  }
}

async function* documentsOf(sheet: Sheet, rows: AsyncGenerator<SheetRow>): AsyncGenerator<Document> {
  const sample: SheetRow[] = [];
  for (let next = await rows.next(); !next.done; next = await rows.next())
    if (sample.push(next.value) === SAMPLE) break;
  const at = sample.findIndex(({ cells }) => filled(cells) > 1);
  const header = sample[at]?.cells;
  const records = sample.slice(at + 1);
  if (
    header &&
    at <= MAX_ROWS_ABOVE &&
    isTable(
      header,
      records.map(({ cells }) => cells),
    )
  ) {
    yield* lines(sheet, [sample.slice(0, at)]);
    yield* tableDocuments(sheet, header, [records, rows]);
  } else yield* lines(sheet, [sample, rows]);
}

type Rows = (Iterable<SheetRow> | AsyncIterable<SheetRow>)[];

/** A document from each row of a table. */
async function* tableDocuments(sheet: Sheet, header: string[], rows: Rows): AsyncGenerator<Document> {
  for (const part of rows)
    for await (const { cells } of part) {
      const fields = cells.map((cell, i) => (header[i] ? `${header[i]}: ${cell}` : cell));
      yield toDocument(sheet, fields.filter((_, i) => cells[i] !== '').join('\n'));
    }
}

/** Documents with a line from each row. */
async function* lines(sheet: Sheet, rows: Rows): AsyncGenerator<Document> {
  let waiting: string[][] = [];
  const flush = function* () {
    const block = tableBlock(waiting);
    waiting = [];
    if (block) yield toDocument(sheet, block.text);
  };
  for (const part of rows)
    for await (const { cells } of part) if (waiting.push(cells) === ROWS_PER_DOCUMENT) yield* flush();
  yield* flush();
}

function toDocument({ name, source, idOf }: Sheet, text: string): Document {
  const title = UNNAMED.test(name) ? undefined : name;
  return { source, id: idOf(text), title, blocks: [{ kind: 'paragraph', text }] };
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
