import { Unreadable } from '../file.ts';
import type { Reader } from '../input.ts';
import { readTable } from './table.ts';
import { startOf } from './values.ts';

/** Characters of a row. A longer one has a quote that nobody closed. */
const MAX_ROW = 2 ** 20;
/** Cells of a row. */
const MAX_CELLS = 10_000;

/** What is wrong with a row, and what to do. */
const FIXES = {
  'unclosed quote': 'Close the quote, and write quotes inside a cell twice.',
  'too many cells': 'Write one record a line.',
};

type CsvRow = { line: number; cells: string[] } | { line: number; error: keyof typeof FIXES };

/** A row that begins at a place of a text, and where the next begins. */
interface Parsed {
  cells: string[];
  next: number;
  error?: keyof typeof FIXES;
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
    const parsed = parseRows(text, delimiter, line, false);
    yield* parsed.rows;
    line = parsed.line;
    text = text.slice(parsed.at);
    // Parses a long row again only when there is much more of it.
    needed = 2 * text.length;
  }
  yield* parseRows(text, delimiter, line, true).rows;
}

/** Parses the rows of a text that are complete. */
function parseRows(text: string, delimiter: string, firstLine: number, isEnd: boolean) {
  const rows: CsvRow[] = [];
  let at = 0;
  let line = firstLine;
  while (at < text.length) {
    const { cells, next, error } = parseRow(text, at, delimiter);
    const mayGoOn = !isEnd && (next >= text.length || error === 'unclosed quote');
    if (mayGoOn && text.length - at < MAX_ROW) break;
    if (error || (mayGoOn && next >= text.length)) rows.push({ line, error: error ?? 'too many cells' });
    else if (cells.some((cell) => cell.trim() !== '')) rows.push({ line, cells });
    line += text.slice(at, next).match(/\r\n?|\n/g)?.length ?? 0;
    at = next;
  }
  return { rows, at, line };
}

function parseRow(text: string, start: number, delimiter: string): Parsed {
  const cells: string[] = [];
  // A bad row is lost up to its line end.
  const bad = (error: Parsed['error']) => ({
    cells,
    next: afterLineEnd(text, endOfCell(text, start)),
    error,
  });
  for (let at = start; cells.length <= MAX_CELLS; at++) {
    const cell = text[at] === '"' ? quotedCell(text, at, start) : { value: '', end: at };
    if (!cell) return bad('unclosed quote');
    at = endOfCell(text, cell.end, delimiter);
    cells.push(cell.value + text.slice(cell.end, at));
    if (text[at] !== delimiter) return { cells, next: afterLineEnd(text, at) };
  }
  return bad('too many cells');
}

/**
 * The value of a cell in quotes, and the place after the quote that closes it. Undefined if none does: if the next one is on another
 * line and no end of a cell follows, it opens a later cell.
 */
function quotedCell(
  text: string,
  start: number,
  rowStart: number,
): { value: string; end: number } | undefined {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1 || quote - rowStart > MAX_ROW) return undefined;
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const isLater = /[\p{L}\p{N}]/u.test(text[quote + 1] ?? '') && value.includes('\n');
      return isLater ? undefined : { value, end: quote + 1 };
    }
    value += '"';
    at = quote + 2;
  }
}

/** The place of the next delimiter or line end. */
function endOfCell(text: string, start: number, delimiter?: string): number {
  let at = start;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++;
  return at;
}

function afterLineEnd(text: string, at: number): number {
  return text[at] === '\r' && text[at + 1] === '\n' ? at + 2 : Math.min(at + 1, text.length);
}

/** The character between the cells of a table: the one that divides most rows into equally many, of those that divide any. */
function delimiterOf(start: string, preferred: string): string {
  let best = { delimiter: preferred, score: 0 };
  for (const delimiter of new Set([preferred, ',', ';', '\t', '|'])) {
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
export const readCsv: Reader = async function* (input) {
  const { start, all } = await startOf(input.chunks(), (pieces) => pieces.join('').length >= SAMPLE);
  const sample = start.join('').slice(0, SAMPLE);
  const declared = /^sep=(.)\r?\n/.exec(sample)?.[1];
  const delimiter = declared ?? delimiterOf(sample, /\.(?:tsv|tab)$/i.test(input.source) ? '\t' : ',');
  async function* rows() {
    for await (const row of parseCsv(all, delimiter)) {
      const place = `${input.path}:${row.line}`;
      if ('error' in row) yield new Unreadable(place, row.error, FIXES[row.error]);
      else if (!declared || row.line > 1) yield { place, cells: row.cells };
    }
  }
  yield* readTable(input, rows());
};
