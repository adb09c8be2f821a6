import { parseAllDocuments } from 'yaml';
import type { Document } from '../document.ts';
import { isTooDeep, MAX_DEPTH, Unreadable } from '../file.ts';
import type { Input, Reader } from '../input.ts';
import { type JsonValue, jsonValues } from './json-values.ts';
import { isOpenApi, readOpenApi } from './openapi-document.ts';
import { readRecords } from './records.ts';
import { jsonProblem, onOneLine, parseObject, rowOf, startOf } from './values.ts';

/**
 * A document from each object of a list, or of several objects one after another; from each operation of an OpenAPI document; else
 * one.
 */
export const readJson: Reader = async function* (input) {
  const { start, all } = await startOf(jsonValues(input.chunks()), ({ length }) => length === 2);
  if (start.length === 1 && !start[0]!.isElement) {
    yield* readOnly(input, start[0]!);
    return;
  }
  async function* rows() {
    for await (const { json, line } of all) {
      const place = `${input.path}:${line}`;
      if (json === undefined) yield new Unreadable(place, 'too large', 'Split the record into several.');
      else yield parseObject(json, place);
    }
  }
  yield* readRecords(input, rows(), { mustHaveSome: true });
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

/** Characters of a line of JSON Lines. A record is rarely longer than a book. */
const MAX_LINE = 32 * 2 ** 20;

/** A document from each line: `{text, id?, title?, url?, lang?, source?, ...metadata}`, or other fields as in a table. */
export const readJsonl: Reader = async function* (input) {
  async function* rows() {
    let number = 0;
    for await (const line of linesOf(input.chunks())) {
      const place = `${input.path}:${++number}`;
      if (line === undefined) yield new Unreadable(place, 'line too long', 'Write one JSON object a line.');
      else if (line.trim() !== '') yield parseObject(line, place);
    }
  }
  yield* readRecords(input, rows(), { ownSource: true });
};

/**
 * Splits text at line feeds only: JSON strings may contain other characters that Unicode counts as line ends. A line that is too long
 * is undefined.
 */
async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  const longer = (start: string | undefined, part: string) =>
    start === undefined || start.length + part.length > MAX_LINE ? undefined : start + part;
  let line: string | undefined = '';
  for await (const piece of pieces) {
    const [first, ...others] = piece.split('\n');
    line = longer(line, first!);
    for (const next of others) {
      yield line;
      line = longer('', next);
    }
  }
  yield line;
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
  yield* readRecords(input, rowsOf(input, values, ''), { mustHaveSome: true });
};

async function* rowsOf({ path }: Input, values: readonly unknown[], name: string) {
  for (const [i, value] of values.entries()) yield rowOf(value, `${path}: ${name}[${i}]`);
}

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
    yield* readRecords(input, rowsOf(input, list.items, list.name));
    return;
  }
  async function* only() {
    yield rowOf(value, input.path);
  }
  yield* readRecords(input, only(), { isOnly: true });
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
