import { ACCESS, type MetadataValue } from '../document.ts';
import { isTooDeep, MAX_DEPTH, Unreadable } from '../file.ts';

/** The values of a record by the names of its fields, in order. Nested ones have names with dots: `author.name`. */
export type Fields = ReadonlyMap<string, MetadataValue>;

/** UTF-16 code units of a field's name. Each field of an object repeats the names above it. */
const MAX_NAME = 500;

/** A record of a file. */
export interface Row {
  /** For messages: `path:line`. */
  place: string;
  fields: Fields;
}

/** Adds the fields in a value of JSON, which must not be nested deeper than `MAX_DEPTH`. Null counts as missing. */
function addFields(fields: Map<string, MetadataValue>, name: string, value: unknown): void {
  if (Array.isArray(value)) {
    const scalars = value
      .filter((item) => typeof item !== 'object')
      .map((item) => String(item).toWellFormed());
    if (scalars.length > 0) add(fields, name, scalars);
    for (const item of value) if (typeof item === 'object') addFields(fields, name, item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      addFields(fields, (name === '' ? key : `${name}.${key}`).slice(0, MAX_NAME).toWellFormed(), item);
  } else if (typeof value === 'string') add(fields, name, value.toWellFormed());
  else if (typeof value === 'number' || typeof value === 'boolean') add(fields, name, value);
}

/** Adds a value. A second value of a field, from a list of objects, makes it a list. */
function add(fields: Map<string, MetadataValue>, name: string, value: MetadataValue): void {
  const before = fields.get(name);
  fields.set(name, before === undefined ? value : [before, value].flat().map(String));
}

/** A value as text. */
export function textOf(value: MetadataValue): string {
  return (Array.isArray(value) ? value.join(', ') : String(value)).trim();
}

/** The record of a JSON object. */
export function parseObject(json: string, place: string): Row | Unreadable {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return new Unreadable(place, 'not valid JSON', `Correct it (${jsonProblem(error)}).`);
  }
  return rowOf(value, place);
}

/**
 * The record of a JSON value. A string is a record with nothing but a text. Lone surrogates, which JSON can escape but UTF-8 cannot
 * encode, become replacement characters.
 */
export function rowOf(value: unknown, place: string): Row | Unreadable {
  if (typeof value === 'string') return { place, fields: new Map([['text', value]]) };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Unreadable(place, 'not a JSON object', 'Write each record as a JSON object.');
  if (isTooDeep(value))
    return new Unreadable(place, 'nested too deep', `Flatten it to at most ${MAX_DEPTH} levels.`);
  const fields = new Map<string, MetadataValue>();
  addFields(fields, '', value);
  // Groups that are no list of names are nobody: the mistake must not publish the record.
  if (ACCESS in value && value[ACCESS] !== null && !fields.has(ACCESS)) fields.set(ACCESS, []);
  return { place, fields };
}

/** Why a text is not JSON, from the error of `JSON.parse`. */
export function jsonProblem(error: unknown): string {
  return onOneLine((error as Error).message);
}

/** The message of a parser on one line. Parsers quote the text, line ends and all. */
export function onOneLine(message: string): string {
  return message.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}

/** The first items of a stream, up to one with which they are enough, and all of its items. */
export async function startOf<T>(
  items: AsyncIterable<T>,
  areEnough: (start: readonly T[]) => boolean,
): Promise<{ start: readonly T[]; all: AsyncGenerator<T> }> {
  const iterator = items[Symbol.asyncIterator]();
  const start: T[] = [];
  while (!areEnough(start)) {
    const next = await iterator.next();
    if (next.done) break;
    start.push(next.value);
  }
  async function* all() {
    yield* start;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { start, all: all() };
}
