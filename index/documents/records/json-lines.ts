import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isTooDeep, nestedTooDeep } from '../file.ts';
import { jsonProblem } from './values.ts';

/** A JSON object and its place: `file:line`. */
export interface JsonLine {
  readonly record: Readonly<Record<string, unknown>>;
  readonly place: string;
}

/**
 * Streams a JSON Lines file, one object a line. Decompresses it if its name ends in `.gz`. Skips blank lines.
 * @throws naming file and line for bytes that are not UTF-8, and lines that are not a JSON object or nest too deep
 */
export function readJsonLines(path: string): AsyncGenerator<JsonLine> {
  return parseJsonLines(readBytes(path), path);
}

/** Does the same for a stream of bytes, with `name` in place of the file. Yields an object as soon as its line is complete. */
export async function* parseJsonLines(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<JsonLine> {
  let number = 0;
  for await (const line of splitLines(bytes)) {
    const place = `${name}:${++number}`;
    if (!isUtf8(line)) throw new Error(`${place}: not UTF-8. Save it as UTF-8.`);
    const text = line.toString().replace(/^\uFEFF/, '');
    if (text.trim() !== '') yield { record: parseRecord(text, place), place };
  }
}

/** A value for an error message: JSON, shortened to keep the message on one line. */
export function describeValue(value: unknown): string {
  const json = value === undefined ? 'missing' : JSON.stringify(value);
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}

/** Splits at line feeds only: JSON strings may contain other characters that Unicode counts as line ends. */
async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const bytesOfChunk of bytes) {
    const chunk = Buffer.from(bytesOfChunk.buffer, bytesOfChunk.byteOffset, bytesOfChunk.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]);
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  }
  yield Buffer.concat(parts);
}

async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  if (!path.toLowerCase().endsWith('.gz')) return yield* file;
  try {
    // The error of either stream is thrown here, so the callback is empty.
    yield* pipeline(file, createGunzip(), () => {});
  } catch (error) {
    throw new Error(`${path}: cannot be decompressed (${String(error)}). Compress it again with gzip.`);
  }
}

function parseRecord(text: string, place: string): JsonLine['record'] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${place}: not valid JSON (${jsonProblem(error)}). Write one JSON object a line.`);
  }
  if (isTooDeep(value)) throw nestedTooDeep(place);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${place}: ${describeValue(value)} is not a JSON object. Write one JSON object a line.`);
  return value as JsonLine['record'];
}
