import type { Input, Reader } from '../input.ts';
import { type CsvRow, delimiterOf, parseCsv } from '../records/csv.ts';
import { BadRecord } from '../records/records.ts';
import { readTable, type TableRow } from '../records/table.ts';

/** Characters that tell what is between the cells. */
const SAMPLE = 64 * 1024;

/** A document from each row. */
export const read: Reader = (input) => readTable(input, rows(input));

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
