import type { Document } from '../document.ts';
import { Unreadable } from '../file.ts';
import type { Input } from '../input.ts';
import { readRecords } from './records.ts';
import { isUsualName, missingNames } from './roles.ts';
import { type Row, startOf } from './values.ts';

/** A row of a table, and its place for messages: `path:line`. */
interface TableRow {
  place: string;
  cells: string[];
}

/** Names of columns are rarely longer. */
const LONGEST_NAME = 80;
/** Rows that tell whether the first row has the names. */
const SAMPLE = 50;
/** What cells of a table contain, but names of columns do not: numbers, dates, addresses. */
const DATA = /^[-+(]?[\d.,:/\s%€$£¥)-]+$|:\/\/|^\S+@\S+\.\S+$/;

/**
 * Makes a document of each row of a table. The first row has the names of the columns, unless it looks like the others.
 * @throws Unreadable if `input.options.fields` names a column that the table lacks, or if it has no row
 */
export async function* readTable(
  input: Input,
  rows: AsyncIterable<TableRow | Unreadable>,
): AsyncGenerator<Document> {
  const { start, all } = await startOf(rows, ({ length }) => length >= SAMPLE);
  const sample = start.filter((row): row is TableRow => !(row instanceof Unreadable));
  const [first] = sample;
  const header = hasHeader(input, sample);
  const columns = header ? uniqueNames(first!.cells) : (first?.cells ?? []).map((_, i) => `column ${i + 1}`);
  async function* records() {
    for await (const row of all)
      if (row instanceof Unreadable) yield row;
      else if (!header || row !== first) yield toRow(row, columns);
  }
  yield* readRecords(input, records(), { columns: first && columns, unnamed: !header, mustHaveSome: true });
}

/** Cells without a column are part of the last: somebody forgot the quotes of a text with commas. */
function toRow({ cells, place }: TableRow, names: string[]): Row {
  const fields = new Map<string, string>();
  for (const [i, name] of names.entries()) {
    const isLast = i === names.length - 1;
    const value = isLast
      ? cells
          .slice(i)
          .join(', ')
          .replace(/(?:, )+$/, '')
      : cells[i];
    if (value !== undefined && value.trim() !== '') fields.set(name, value);
  }
  return { place, fields };
}

/** Whether the first row has names: those of the mapping, or at least a usual one, or texts above numbers, or just short texts. */
function hasHeader({ options }: Input, [first, ...others]: TableRow[]): boolean {
  if (!first) return false;
  if (options.fields && missingNames(options.fields, first.cells).length === 0) return true;
  const names = first.cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  if (names.some((name) => DATA.test(name) || name.length > LONGEST_NAME)) return false;
  if (names.some(isUsualName)) return true;
  if (new Set(names).size < names.length || others.length === 0) return false;
  // Values recur in the column below, but its name does not.
  return !first.cells.some((cell, i) => cell !== '' && others.some(({ cells }) => cells[i] === cell));
}

/** Columns without a name get a number, and repeated names one too. */
function uniqueNames(cells: string[]): string[] {
  const names: string[] = [];
  const used = new Set<string>();
  for (const [i, cell] of cells.entries()) {
    const name = cell.trim().replace(/\s+/g, ' ') || `column ${i + 1}`;
    names.push(used.has(name) ? `${name} ${i + 1}` : name);
    used.add(names.at(-1)!);
  }
  return names;
}
