import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { MetadataValue } from '../format/passage.ts';
import { contentIds } from './content-id.ts';
import type { Document } from './document.ts';
import { textBlocks, titleOf } from './text.ts';
import { decodeUtf8 } from './utf8.ts';

type Fields = Map<string, unknown>;

const OWN_FIELDS = new Set(['id', 'title', 'text', 'url', 'lang', 'source']);

/**
 * Reads JSON Lines, a document a line: `{text, id?, title?, url?, lang?, source?, ...metadata}`, where metadata is
 * strings, numbers, booleans and lists of strings, and null is no value. The text is plain text. A record without an
 * id is named by its file and text. A file whose name ends in `.gz` is decompressed. The file is read line by line,
 * so it may be big.
 * @throws Error naming file, line and field where a record is not of this form.
 */
export async function* readJsonLines(path: string, source: string): AsyncGenerator<Document> {
  const idOf = contentIds(source);
  for await (const { line, place } of readLines(path)) {
    if (line.trim() === '') continue;
    const fields = parseFields(line, place);
    const text = fields.get('text');
    if (typeof text !== 'string') throw unfit(place, 'text', text, 'a string');
    const blocks = textBlocks(wellFormed(text));
    yield {
      source: stringField(fields, 'source', place) ?? source,
      id: stringField(fields, 'id', place) ?? idOf(text),
      title: stringField(fields, 'title', place) ?? titleOf(blocks),
      url: stringField(fields, 'url', place),
      lang: stringField(fields, 'lang', place),
      metadata: metadataOf(fields, place),
      blocks,
    };
  }
}

async function* readLines(path: string): AsyncGenerator<{ line: string; place: string }> {
  let number = 1;
  let offset = 0;
  let parts: Buffer[] = [];
  const take = (): { line: string; place: string } => {
    const bytes = Buffer.concat(parts);
    const place = `${path}:${number}`;
    const line = decodeUtf8(bytes, place, offset);
    number++;
    offset += bytes.length + 1;
    parts = [];
    return { line, place };
  };
  for await (const chunk of readBytes(path)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  }
  yield take();
}

async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  if (!path.toLowerCase().endsWith('.gz')) {
    yield* file;
    return;
  }
  // An error of either stream comes out of the loop over the last one; the callback has nothing to add.
  const bytes = pipeline(file, createGunzip(), () => {});
  try {
    yield* bytes;
  } catch (error) {
    throw new Error(`${path} cannot be decompressed (${String(error)}): compress it again with gzip.`);
  }
}

function parseFields(line: string, place: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(`${place} is not JSON (${String(error)}): every line has to be one JSON object.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${place} holds ${show(value)}: every line has to be one JSON object.`);
  }
  return new Map(Object.entries(value));
}

/** An empty string is as good as none. */
function stringField(fields: Fields, name: string, place: string): string | undefined {
  const value = fields.get(name) ?? '';
  if (typeof value === 'string') return wellFormed(value) || undefined;
  if (name === 'id' && typeof value === 'number') return String(value);
  throw unfit(place, name, value, name === 'id' ? 'a string or a number' : 'a string');
}

function metadataOf(fields: Fields, place: string): Record<string, MetadataValue> | undefined {
  const entries: [string, MetadataValue][] = [];
  for (const [name, value] of fields) {
    if (OWN_FIELDS.has(name) || value === null) continue;
    if (typeof value === 'number' || typeof value === 'boolean') entries.push([name, value]);
    else if (typeof value === 'string') entries.push([name, wellFormed(value)]);
    else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      entries.push([name, value.map(wellFormed)]);
    } else throw unfit(place, name, value, 'a string, a number, a boolean or a list of strings');
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function unfit(place: string, name: string, value: unknown, expected: string): Error {
  return new Error(`${place}: field "${name}" is ${show(value)}, but it has to be ${expected}.`);
}

function show(value: unknown): string {
  const json = value === undefined ? 'missing' : JSON.stringify(value);
  return json.length > 40 ? `${json.slice(0, 40)}…` : json;
}

/** Half of a surrogate pair, which JSON can escape but UTF-8 cannot hold, becomes the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}
