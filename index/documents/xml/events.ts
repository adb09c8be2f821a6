import { SaxesParser } from 'saxes';
import type { Input } from '../input.ts';

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

export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The encoding in the declaration at the start of an XML file. */
export function declaredEncoding(start: string): string | undefined {
  return start.match(/^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']/)?.[1];
}
