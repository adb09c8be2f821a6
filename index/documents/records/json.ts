import { parseAllDocuments } from 'yaml';
import type { Document } from '../document.ts';
import { isTooDeep, MAX_DEPTH } from '../file.ts';
import type { Input, Reader } from '../input.ts';
import { type JsonValue, jsonValues } from './json-values.ts';
import { isOpenApi, readOpenApi } from './openapi-document.ts';
import { readRecords, readSomeRecords } from './records.ts';
import { BadRecord, jsonProblem, onOneLine, parseObject, type Row, rowOf } from './values.ts';

/**
 * A document from each object of a list, or of several objects one after another; from each operation of an OpenAPI document; else
 * one.
 */
export const readJson: Reader = async function* (input) {
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

/** A document from each line: `{text, id?, title?, url?, lang?, source?, ...metadata}`, or other fields as in a table. */
export const readJsonl: Reader = (input) => readRecords(input, rowsOfLines(input), { ownSource: true });

async function* rowsOfLines(input: Input): AsyncGenerator<Row | BadRecord> {
  for await (const { number, text } of linesOf(input.chunks())) {
    const place = `${input.path}:${number}`;
    if (text === undefined) yield new BadRecord(place, 'line too long', 'Write one JSON object a line.');
    else if (text.trim() !== '') yield parseObject(text, place);
  }
}

/** YAML takes seconds for each MiB. */
const MAX_YAML = 4 * 2 ** 20;

/** YAML: the operations of an OpenAPI document, or records as in JSON. */
export const readYaml: Reader = async function* (input) {
  if ((await input.bytes()).length > MAX_YAML)
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

/** The list of records is at most this deep in an object: `{"data": {"items": […]}}`. */
const LIST_DEPTH = 3;
/** Characters of JSON around a list of records, for each one of the list. */
const LEAST_SHARE = 0.5;

/**
 * Reads an object that is a whole file: the operations of an OpenAPI document; the records of a list that is most of it; else one
 * document.
 */
async function* readTree(input: Input, value: object): AsyncGenerator<Document> {
  if (isTooDeep(value)) throw input.failure('nested too deep', `Flatten it to at most ${MAX_DEPTH} levels.`);
  if (isOpenApi(value)) {
    yield* readOpenApi(input, value);
    return;
  }
  const list = longestList(value);
  if (list && sizeOf(list.items) >= LEAST_SHARE * sizeOf(value)) {
    const { items, name } = list;
    async function* rows() {
      for (const [i, item] of items.entries()) yield rowOf(item, `${input.path}: ${name}[${i}]`);
    }
    yield* readRecords(input, rows());
    return;
  }
  async function* single() {
    yield rowOf(value, input.path);
  }
  yield* readRecords(input, single(), { isOnly: true });
}

/** The longest list of objects in an object, and its name. */
function longestList(root: object): { name: string; items: object[] } | undefined {
  let best: { name: string; items: object[] } | undefined;
  let level = [{ name: '', value: root }];
  for (let depth = 0; depth < LIST_DEPTH; depth++) {
    const next: typeof level = [];
    for (const { name, value } of level)
      for (const [key, item] of Object.entries(value)) {
        const path = name === '' ? key : `${name}.${key}`;
        if (Array.isArray(item)) {
          if (item.length > (best?.items.length ?? 0) && item.every(isObject))
            best = { name: path, items: item };
        } else if (isObject(item)) next.push({ name: path, value: item });
      }
    level = next;
  }
  return best;
}

/** About how many characters a value has in JSON. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 4;
  let size = 2;
  for (const [key, item] of Object.entries(value))
    size += (Array.isArray(value) ? 1 : key.length + 4) + sizeOf(item);
  return size;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Characters of a line. A record is rarely longer than a book. */
const MAX_LINE = 32 * 2 ** 20;

/** A line of a text, without its end. Undefined if it is too long. */
interface Line {
  number: number;
  text: string | undefined;
}

/** Splits text at line feeds only: JSON strings may contain other characters that Unicode counts as line ends. */
async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<Line> {
  let number = 0;
  let parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    length += part.length;
    if (length <= MAX_LINE) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const text = length <= MAX_LINE ? parts.join('') : undefined;
    parts = [];
    length = 0;
    return { number: ++number, text };
  };
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', start)) {
      add(piece.slice(start, end));
      yield take();
      start = end + 1;
    }
    add(piece.slice(start));
  }
  yield take();
}
