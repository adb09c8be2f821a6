import type { MetadataValue } from '../../format/passage.ts';
import { contentIds } from '../content-id.ts';
import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { textBlocks, titleOf } from '../plain/text.ts';
import { describeValue, type JsonLine, parseJsonLines } from './json-lines.ts';

const OWN_FIELDS = new Set(['id', 'title', 'text', 'url', 'lang', 'source']);

/**
 * Reads a document from each line of a JSON Lines file: `{text, id?, title?, url?, lang?, source?, ...metadata}`. Metadata values
 * are strings, numbers, booleans and lists of strings; null counts as missing. The text is plain text. A record without an id gets
 * one derived from the file and the text. Streams the file, so it may be large.
 * @throws naming file, line and field if a record has another form
 */
export async function* readRecords({ source, path, open }: Input): AsyncGenerator<Document> {
  const idOf = contentIds(source);
  for await (const line of parseJsonLines(open(), path)) {
    const { text } = line.record;
    if (typeof text !== 'string') throw wrongField(line, 'text', 'a string');
    const blocks = textBlocks(wellFormed(text));
    yield {
      source: stringField(line, 'source') ?? source,
      id: stringField(line, 'id') ?? idOf(text),
      title: stringField(line, 'title') ?? titleOf(blocks),
      url: stringField(line, 'url'),
      lang: stringField(line, 'lang'),
      metadata: metadataOf(line),
      blocks,
    };
  }
}

/** A string field. An empty string counts as missing. */
function stringField(line: JsonLine, name: string): string | undefined {
  const value = line.record[name] ?? '';
  if (typeof value === 'string') return wellFormed(value) || undefined;
  if (name === 'id' && typeof value === 'number') return String(value);
  throw wrongField(line, name, name === 'id' ? 'a string or a number' : 'a string');
}

function metadataOf(line: JsonLine): Record<string, MetadataValue> | undefined {
  const entries: [string, MetadataValue][] = [];
  for (const [name, value] of Object.entries(line.record)) {
    if (OWN_FIELDS.has(name) || value === null) continue;
    if (typeof value === 'number' || typeof value === 'boolean') entries.push([name, value]);
    else if (typeof value === 'string') entries.push([name, wellFormed(value)]);
    else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      entries.push([name, value.map(wellFormed)]);
    } else throw wrongField(line, name, 'a string, a number, a boolean or a list of strings');
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function wrongField({ record, place }: JsonLine, name: string, expected: string): Error {
  return new Error(`${place}: "${name}" must be ${expected} but is ${describeValue(record[name])}.`);
}

/** Replaces lone surrogates, which JSON can escape but UTF-8 cannot encode, by the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}
