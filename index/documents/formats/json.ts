import type { Document } from '../document.ts';
import type { Input, Reader } from '../input.ts';
import { parseObject } from '../records/json-objects.ts';
import { jsonProblem } from '../records/json-problem.ts';
import { readTree } from '../records/json-tree.ts';
import { type JsonValue, jsonValues } from '../records/json-values.ts';
import { BadRecord, readSomeRecords } from '../records/records.ts';
import type { Row } from '../records/values.ts';

/**
 * A document from each object of a list, or of several objects one after another; from each operation of an OpenAPI document; else
 * one.
 */
export const read: Reader = async function* (input) {
  const values = jsonValues(input.chunks())[Symbol.asyncIterator]();
  const first = await values.next();
  const second = await values.next();
  const only = second.done && !first.done && !first.value.isElement ? first.value : undefined;
  if (only) {
    yield* readOnly(input, only);
    return;
  }
  async function* rows() {
    for (const { done, value } of [first, second]) if (!done) yield toRow(input, value);
    for (let next = await values.next(); !next.done; next = await values.next())
      yield toRow(input, next.value);
  }
  yield* readSomeRecords(input, rows());
};

async function* readOnly(input: Input, { json }: JsonValue): AsyncGenerator<Document> {
  if (json === undefined)
    throw input.failure(
      'too large',
      'Write its records as JSON Lines: jq -c ".items[]" file.json > file.jsonl',
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw input.failure('not valid JSON', `Correct it (${jsonProblem(error)}).`);
  }
  if (typeof value !== 'object' || value === null)
    throw input.failure('no records', 'Write a list of JSON objects.');
  yield* readTree(input, value);
}

function toRow({ path }: Input, { json, line }: JsonValue): Row | BadRecord {
  const place = `${path}:${line}`;
  return json === undefined
    ? new BadRecord(place, 'too large', 'Split the record into several.')
    : parseObject(json, place);
}
