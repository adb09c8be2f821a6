import type { Input, Reader } from '../input.ts';
import { parseObject } from '../records/json-objects.ts';
import { linesOf } from '../records/lines.ts';
import { BadRecord, readRecords } from '../records/records.ts';
import type { Row } from '../records/values.ts';

/** A document from each line: `{text, id?, title?, url?, lang?, source?, ...metadata}`, or other fields as in a table. */
export const read: Reader = (input) => readRecords(input, rows(input), { ownSource: true });

async function* rows(input: Input): AsyncGenerator<Row | BadRecord> {
  for await (const { number, text } of linesOf(input.chunks())) {
    const place = `${input.path}:${number}`;
    if (text === undefined) yield new BadRecord(place, 'line too long', 'Write one JSON object a line.');
    else if (text.trim() !== '') yield parseObject(text, place);
  }
}
