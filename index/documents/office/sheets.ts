import { contentIds } from '../content-id.ts';
import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { missingNames } from '../records/roles.ts';
import { readTable } from '../records/table.ts';
import { startOf } from '../records/values.ts';
import { tableBlock } from './flow.ts';
import { noText, onOneLine } from './office-package.ts';

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

async function* documentsOf(rows: AsyncIterable<SheetRow>, input: Input): AsyncGenerator<Document> {
  const { start, all } = await startOf(rows, ({ length }) => length >= SAMPLE);
  const at = start.findIndex(({ cells }) => filled(cells) > 1);
  const [header, ...records] = start.slice(at).map(({ cells }) => cells);
  if (at === -1 || at > MAX_ROWS_ABOVE || !isTable(header!, records, input)) {
    yield* lines(all, input);
    return;
  }
  for (let i = 0; i < at; i++) await all.next();
  const above = tableBlock(start.slice(0, at).map(({ cells }) => cells));
  if (above) yield { source: input.source, blocks: [above] };
  const place = `${input.path} (${start[0]!.sheet})`;
  const missing = missingNames(input.options.fields ?? {}, header!);
  if (missing.length > 0) {
    // Another sheet may have these columns.
    const list = missing.map((name) => `"${name}"`).join(', ');
    input.report({ kind: 'failed', place, reason: 'no such field', fix: `Correct ${list} in \`fields\`.` });
    for await (const _ of all);
    return;
  }
  async function* table() {
    for await (const { number, cells } of all) yield { place: `${place}:${number}`, cells };
  }
  yield* readTable(input, table());
}

/** Documents with a line from each row. */
async function* lines(rows: AsyncIterable<SheetRow>, { source }: Input): AsyncGenerator<Document> {
  let waiting: string[][] = [];
  for await (const { cells } of rows)
    if (waiting.push(cells) === ROWS_PER_DOCUMENT) {
      yield { source, blocks: [tableBlock(waiting)!] };
      waiting = [];
    }
  const rest = tableBlock(waiting);
  if (rest) yield { source, blocks: [rest] };
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
export function cellCollector(input: Input) {
  let cells: string[] = [];
  let left = MAX_CELLS;
  let isCut = false;
  return {
    /** The 0-based column after the last one. */
    next: () => cells.length,

    /**
     * Sets a cell of the open row.
     * @throws Unreadable `too large`
     */
    set(column: number, value: string): void {
      const text = onOneLine(value);
      if (text === '') return;
      if (column < MAX_COLUMNS) {
        left -= Math.max(0, column + 1 - cells.length);
        if (left < 0) throw input.failure('too large', 'Split it into smaller files.');
        while (cells.length < column) cells.push('');
        cells[column] = text;
      } else if (!isCut) {
        isCut = true;
        const fix = `Only the first ${MAX_COLUMNS.toLocaleString('en')} are read. Split it into smaller files.`;
        input.report({ kind: 'failed', place: input.path, reason: 'too many columns', fix });
      }
    },

    /** Ends the row. Returns its cells, up to the last one with text. */
    take(): string[] {
      const taken = cells;
      cells = [];
      return taken;
    },
  };
}
