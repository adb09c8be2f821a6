import { parseAllDocuments } from 'yaml';
import type { Reader } from '../input.ts';
import { rowOf } from '../records/json-objects.ts';
import { onOneLine } from '../records/json-problem.ts';
import { readTree } from '../records/json-tree.ts';
import { readSomeRecords } from '../records/records.ts';

/** YAML takes seconds for each MiB. */
const MAX_BYTES = 4 * 2 ** 20;

/** YAML: the operations of an OpenAPI document, or records as in JSON. */
export const read: Reader = async function* (input) {
  if ((await input.bytes()).length > MAX_BYTES)
    throw input.failure('too large', 'Write it as JSON, or split it into files of at most 4 MiB.');
  const values: unknown[] = [];
  for (const document of parseAllDocuments(await input.text(), { logLevel: 'silent' })) {
    const [error] = document.errors;
    if (error) {
      // Further lines quote the place.
      const [problem] = error.message.split('\n');
      throw input.failure('not valid YAML', `Correct it (${onOneLine(problem!)}).`);
    }
    const value: unknown = document.toJS();
    if (Array.isArray(value)) values.push(...value);
    else if (value !== null && value !== undefined) values.push(value);
  }
  const [only] = values;
  if (values.length === 1 && typeof only === 'object' && only !== null && !Array.isArray(only)) {
    yield* readTree(input, only);
    return;
  }
  async function* rows() {
    for (const [i, value] of values.entries()) yield rowOf(value, `${input.path}: [${i}]`);
  }
  yield* readSomeRecords(input, rows());
};
