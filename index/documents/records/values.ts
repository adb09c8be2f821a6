import type { MetadataValue } from '../document.ts';
import { isTooDeep, MAX_DEPTH } from '../file.ts';

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

/** The fields of a JSON object, which must not be nested deeper than `MAX_DEPTH`. Null counts as missing. */
export function fieldsOf(record: object): Fields {
  const fields = new Map<string, MetadataValue>();
  addFields(fields, '', record);
  return fields;
}

function addFields(fields: Map<string, MetadataValue>, name: string, value: unknown): void {
  if (typeof value === 'string') add(fields, name, wellFormed(value));
  else if (typeof value === 'number' || typeof value === 'boolean') add(fields, name, value);
  else if (Array.isArray(value)) {
    const scalars = value.filter((item) => typeof item !== 'object');
    if (scalars.length > 0)
      add(
        fields,
        name,
        scalars.map((item) => wellFormed(String(item))),
      );
    for (const item of value) if (typeof item === 'object') addFields(fields, name, item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      addFields(fields, wellFormed((name === '' ? key : `${name}.${key}`).slice(0, MAX_NAME)), item);
  }
}

/** Adds a value. A second value of a field, from a list of objects, makes it a list. */
function add(fields: Map<string, MetadataValue>, name: string, value: MetadataValue): void {
  const before = fields.get(name);
  if (before === undefined) fields.set(name, value);
  else {
    const list = Array.isArray(before) ? before : [String(before)];
    for (const item of [value].flat()) list.push(String(item));
    fields.set(name, list);
  }
}

/** A value as text. */
export function textOf(value: MetadataValue): string {
  return (Array.isArray(value) ? value.join(', ') : String(value)).trim();
}

/** Replaces lone surrogates, which JSON can escape but UTF-8 cannot encode, by the replacement character. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** A record that cannot be read. */
export class BadRecord extends Error {
  readonly place: string;
  readonly reason: string;
  readonly fix: string;

  /** @param place `path:line` */
  constructor(place: string, reason: string, fix: string) {
    super(`${place}: ${reason}. ${fix}`);
    this.place = place;
    this.reason = reason;
    this.fix = fix;
  }
}

/** The record of a JSON object. */
export function parseObject(json: string, place: string): Row | BadRecord {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return new BadRecord(place, 'not valid JSON', `Correct it (${jsonProblem(error)}).`);
  }
  return rowOf(value, place);
}

/** The record of a JSON value. A string is a record with nothing but a text. */
export function rowOf(value: unknown, place: string): Row | BadRecord {
  if (typeof value === 'string') return { place, fields: new Map([['text', value]]) };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new BadRecord(place, 'not a JSON object', 'Write each record as a JSON object.');
  if (isTooDeep(value))
    return new BadRecord(place, 'nested too deep', `Flatten it to at most ${MAX_DEPTH} levels.`);
  return { place, fields: fieldsOf(value) };
}

/** Why a text is not JSON, from the error of `JSON.parse`. */
export function jsonProblem(error: unknown): string {
  return onOneLine((error as Error).message);
}

/** The message of a parser on one line. Parsers quote the text, line ends and all. */
export function onOneLine(message: string): string {
  return message.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}
