import type { Input, Reader } from '../input.ts';
import { readTable, type TableRow } from './table.ts';
import { BadRecord } from './values.ts';

/** Characters of a row. A longer one has a quote that nobody closed. */
const MAX_ROW = 2 ** 20;
/** Cells of a row. */
const MAX_CELLS = 10_000;

export type CsvRow =
  | { line: number; cells: string[] }
  | { line: number; error: 'unclosed quote' | 'too many cells' };

/** A row that begins at a place of a text, and where the next begins. Undefined if the text ends before it does. */
interface Parsed {
  cells: string[];
  next: number;
  error?: 'unclosed quote' | 'too many cells';
}

/**
 * Parses CSV (RFC 4180) of any size. Accepts quotes inside cells without quotes, and any line ends. A row whose quote is never closed
 * is an error, and the next row begins at the next line. (csv-parse would take the rest of the file for a part of that row.)
 */
export async function* parseCsv(pieces: AsyncIterable<string>, delimiter: string): AsyncGenerator<CsvRow> {
  let text = '';
  let line = 1;
  let needed = 0;
  for await (const piece of pieces) {
    text += piece;
    if (text.length < needed) continue;
    const { rows, rest } = parseRows(text, delimiter, line, false);
    for (const row of rows) yield row;
    line = rest.line;
    text = text.slice(rest.at);
    // Parses a long row again only when there is much more of it.
    needed = 2 * text.length;
  }
  const { rows } = parseRows(text, delimiter, line, true);
  yield* rows;
}

/** Parses the rows of a text that are complete. */
function parseRows(text: string, delimiter: string, firstLine: number, isEnd: boolean) {
  const rows: CsvRow[] = [];
  let at = 0;
  let line = firstLine;
  while (at < text.length) {
    const parsed = parseRow(text, at, delimiter, isEnd);
    if (!parsed) break;
    const { cells, next, error } = parsed;
    if (error) rows.push({ line, error });
    else if (cells.some((cell) => cell.trim() !== '')) rows.push({ line, cells });
    line += countLines(text, at, next);
    at = next;
  }
  return { rows, rest: { at, line } };
}

function parseRow(text: string, start: number, delimiter: string, isEnd: boolean): Parsed | undefined {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    const cell = text[at] === '"' ? quotedCell(text, at, start) : undefined;
    if (cell === 'open') {
      if (!isEnd && text.length - start < MAX_ROW) return undefined;
      return badRow(text, start, 'unclosed quote', isEnd);
    }
    if (cell === 'spoiled') return badRow(text, start, 'unclosed quote', isEnd);
    const from = cell?.end ?? at;
    const end = endOfCell(text, from, delimiter);
    // The next piece may continue this cell, or complete a line end.
    if (end + 1 >= text.length && !isEnd)
      return text.length - start < MAX_ROW ? undefined : badRow(text, start, 'too many cells', isEnd);
    cells.push((cell?.value ?? '') + text.slice(from, end));
    if (cells.length > MAX_CELLS) return badRow(text, start, 'too many cells', isEnd);
    if (text[end] !== delimiter) return { cells, next: afterLineEnd(text, end) };
    at = end + 1;
  }
}

/** The row is lost up to its line end. */
function badRow(text: string, start: number, error: Parsed['error'], isEnd: boolean): Parsed | undefined {
  const end = endOfCell(text, start, undefined);
  if (end + 1 >= text.length && !isEnd && text.length - start < MAX_ROW) return undefined;
  return { cells: [], next: afterLineEnd(text, end), error };
}

/**
 * The value of a cell in quotes, and the place after the quote that closes it. `open` if there is none in the text; `spoiled` if it is
 * on another line and no end of a cell follows, since then it opens a later cell.
 */
function quotedCell(
  text: string,
  start: number,
  rowStart: number,
): { value: string; end: number } | 'open' | 'spoiled' {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1 || quote - rowStart > MAX_ROW) return 'open';
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const isSpoiled = /[\p{L}\p{N}]/u.test(text[quote + 1] ?? '') && value.includes('\n');
      return isSpoiled ? 'spoiled' : { value, end: quote + 1 };
    }
    value += '"';
    at = quote + 2;
  }
}

/** The place of the next delimiter or line end. */
function endOfCell(text: string, start: number, delimiter: string | undefined): number {
  let at = start;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++;
  return at;
}

function afterLineEnd(text: string, at: number): number {
  return text[at] === '\r' && text[at + 1] === '\n' ? at + 2 : Math.min(at + 1, text.length);
}

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++)
    if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) count++;
  return count;
}

/** The character between the cells of a table: the one that divides most rows into equally many, of those that divide any. */
export function delimiterOf(start: string, preferred: string): string {
  const declared = start.match(/^sep=(.)\r?\n/)?.[1];
  if (declared) return declared;
  let best = { delimiter: preferred, score: 0 };
  for (const delimiter of [preferred, ...[',', ';', '\t', '|'].filter((one) => one !== preferred)]) {
    const { rows } = parseRows(start, delimiter, 1, true);
    const counts = new Map<number, number>();
    // The last row may be cut.
    for (const row of rows.length > 1 ? rows.slice(0, -1) : rows) {
      const count = 'cells' in row ? row.cells.length : 0;
      if (count > 1) counts.set(count, (counts.get(count) ?? 0) + 1);
    }
    const [count, equal] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
    const score = (equal / rows.length) * (1 + Math.min(count, 20) / 100);
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}

/** Characters that tell what is between the cells. */
const SAMPLE = 64 * 1024;

/** A document from each row. */
export const readCsv: Reader = (input) => readTable(input, rows(input));

async function* rows(input: Input): AsyncGenerator<TableRow | BadRecord> {
  const pieces = input.chunks()[Symbol.asyncIterator]();
  let start = '';
  while (start.length < SAMPLE) {
    const next = await pieces.next();
    if (next.done) break;
    start += next.value;
  }
  const delimiter = delimiterOf(start.slice(0, SAMPLE), /\.(?:tsv|tab)$/i.test(input.source) ? '\t' : ',');
  const isDeclared = /^sep=.\r?\n/.test(start);
  async function* all() {
    yield isDeclared ? start.slice(start.indexOf('\n')) : start;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
  }
  for await (const row of parseCsv(all(), delimiter)) yield toTableRow(row, input.path);
}

function toTableRow(row: CsvRow, path: string): TableRow | BadRecord {
  const place = `${path}:${row.line}`;
  if ('cells' in row) return { place, cells: row.cells };
  return new BadRecord(
    place,
    row.error,
    row.error === 'unclosed quote'
      ? 'Close the quote, and write quotes inside a cell twice.'
      : 'Write one record a line.',
  );
}
