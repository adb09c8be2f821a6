import { SaxesParser } from 'saxes';
import type { MetadataValue } from '../document.ts';
import type { Input } from '../input.ts';
import type { Row } from '../records/values.ts';

/** Open elements. */
const MAX_DEPTH = 500;
/** Characters between two tags. */
const MAX_TEXT = 64 * 2 ** 20;

/** Usual entities that files take from a DTD elsewhere. */
const ENTITIES = {
  nbsp: '\u00a0',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  copy: '©',
};
/** The definition of an entity that is plain text. */
const ENTITY = /<!ENTITY\s{1,20}([\w.-]{1,100})\s{1,20}"([^"<&%]{0,1000})"\s{0,20}>/g;

/** A part of an XML file. Names have no prefix: `encoded` for `content:encoded`. */
export type XmlEvent =
  | { kind: 'open'; name: string; attributes: ReadonlyMap<string, string> }
  | { kind: 'close'; name: string }
  | { kind: 'text'; text: string };

/**
 * Streams the tags and texts of an XML file, as far as it is well-formed. Entities may stand for plain text only, so that
 * none expands to others.
 * @param onError called with the first error, once
 */
export async function* xmlEvents(input: Input, onError: (message: string) => void): AsyncGenerator<XmlEvent> {
  const parser = new SaxesParser();
  let events: XmlEvent[] = [];
  let depth = 0;
  let error: string | undefined;
  Object.assign(parser.ENTITIES, ENTITIES);
  parser.on('doctype', (doctype) => {
    for (const [, name = '', value = ''] of doctype.matchAll(ENTITY)) parser.ENTITIES[name] ??= value;
  });
  parser.on('error', ({ message }) => {
    if (!message.includes('undefined entity')) error ??= message;
  });
  parser.on('opentag', ({ name, attributes }) => {
    depth++;
    events.push({ kind: 'open', name: localName(name), attributes: new Map(Object.entries(attributes)) });
  });
  parser.on('closetag', ({ name }) => {
    depth--;
    events.push({ kind: 'close', name: localName(name) });
  });
  const onText = (text: string) => events.push({ kind: 'text', text });
  parser.on('text', onText);
  parser.on('cdata', onText);
  let quiet = 0;
  for await (const piece of input.chunks(declaredEncoding)) {
    parser.write(piece);
    if (error !== undefined || depth > MAX_DEPTH) break;
    quiet = events.length > 0 ? 0 : quiet + piece.length;
    if (quiet > MAX_TEXT) throw input.failure('too large', 'Split it into files with shorter texts.');
    yield* events;
    events = [];
  }
  if (depth > MAX_DEPTH) throw input.failure('nested too deep', `Flatten it to at most ${MAX_DEPTH} levels.`);
  if (error === undefined) parser.close();
  yield* events;
  if (error !== undefined) onError(error);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The encoding in the declaration at the start of an XML file. */
function declaredEncoding(start: string): string | undefined {
  return start.match(/^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']/)?.[1];
}

/** Characters of a record. */
const MAX_RECORD = 32 * 2 ** 20;

/**
 * The elements at a path as records. A field is an element with text, or an attribute: `author.name`, `link.href`. Fields that repeat
 * are lists.
 * @param onError called with the first error in the XML
 */
export async function* xmlRecords(
  input: Input,
  path: string,
  onError: (message: string) => void,
): AsyncGenerator<Row> {
  const open: string[] = [];
  let record: { depth: number; fields: Map<string, string[]>; texts: string[]; length: number } | undefined;
  let number = 0;
  for await (const event of xmlEvents(input, onError)) {
    if (event.kind === 'open') {
      open.push(event.name);
      if (!record && open.join('/') === path)
        record = { depth: open.length, fields: new Map(), texts: [], length: 0 };
      if (!record) continue;
      record.texts.push('');
      const name = open.slice(record.depth).join('.');
      for (const [attribute, value] of event.attributes)
        if (!attribute.startsWith('xmlns')) add(record.fields, joined(name, localName(attribute)), value);
    } else if (event.kind === 'text') {
      if (!record) continue;
      record.length += event.text.length;
      if (record.length <= MAX_RECORD) record.texts[record.texts.length - 1] += event.text;
    } else {
      if (record) {
        const text = record.texts.pop()?.trim() ?? '';
        const name = open.slice(record.depth).join('.');
        if (text !== '') add(record.fields, name || 'text', text);
        if (open.length === record.depth) {
          yield { place: `${input.path}: ${event.name} ${++number}`, fields: scalars(record.fields) };
          record = undefined;
        }
      }
      open.pop();
    }
  }
}

function joined(name: string, attribute: string): string {
  return name === '' ? attribute : `${name}.${attribute}`;
}

function add(fields: Map<string, string[]>, name: string, value: string): void {
  const values = fields.get(name);
  if (values) values.push(value);
  else fields.set(name, [value]);
}

function scalars(fields: ReadonlyMap<string, string[]>): Map<string, MetadataValue> {
  return new Map([...fields].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}
