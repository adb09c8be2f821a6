import type { Document, MetadataValue } from '../document.ts';
import type { Input, Reader } from '../input.ts';
import { readRecords } from '../records/records.ts';
import { type Fields, textOf } from '../records/values.ts';
import { xmlEvents, xmlRecords } from './events.ts';
import { readPage } from './wikitext.ts';
import { readXmlText } from './xml-text.ts';

/** A document from each entry of a feed, page of a wiki, or record of a list; else one. */
export const readXml: Reader = async function* (input) {
  let error: string | undefined;
  const onError = (message: string) => {
    error = message;
  };
  let any = false;
  for await (const document of documents(input, onError)) {
    any ||= document.blocks.length > 0;
    yield document;
  }
  if (error !== undefined) throw input.failure('not valid XML', `Correct it (${error}).`);
  if (!any) throw input.failure('no text', 'Remove it, or fill it in.');
};

async function* documents(input: Input, onError: (message: string) => void): AsyncGenerator<Document> {
  const shape = await shapeOf(input);
  if (shape.kind === 'text') {
    const document = await readXmlText(input, onError);
    if (document.blocks.length > 0) yield document;
  } else if (shape.of && !input.options.fields) {
    let number = 0;
    for await (const { fields } of xmlRecords(input, shape.path, onError)) {
      const document =
        shape.of === 'wiki' ? readPage(input, fields) : await readEntry(input, fields, ++number);
      if (document) yield document;
    }
  } else yield* readRecords(input, xmlRecords(input, shape.path, onError));
}

/** What an XML file is: a list of records, which are the elements at a path, or a text. */
type Shape = { kind: 'records'; path: string; of?: 'feed' | 'wiki' } | { kind: 'text' };

/** Elements that tell the shape of a file. */
const ENOUGH = 20_000;
/** Records are at most this deep below the root. */
const RECORD_DEPTH = 3;
/** The share of elements with text beside elements, from which a file is a text. */
const MIXED = 0.02;
/** The share of elements, and of text, that records contain. */
const LEAST_SHARE = 0.5;
/** A page may have as many links as paragraphs. These elements are never records. */
const PARTS_OF_TEXTS = new Set(['a', 'li', 'p', 'para']);

/** Roots of texts, in DocBook, DITA, TEI, JATS. */
const TEXTS = new Set(
  'book article chapter part set section sect1 appendix preface refentry glossary page TEI TEI.2 teiCorpus topic concept task reference html'.split(
    ' ',
  ),
);
/** The records of known roots. */
const RECORDS: Record<string, string> = {
  rss: 'rss/channel/item',
  feed: 'feed/entry',
  RDF: 'RDF/item',
  mediawiki: 'mediawiki/page',
};

/** What is at a path, counted with all that is inside. */
interface Place {
  name: string;
  count: number;
  elements: number;
  /** Characters of texts and attributes. */
  text: number;
  hasParts: boolean;
}

/**
 * Finds what a file is by its first elements: records are the most frequent element near the root that repeats, has parts, and contains
 * most elements and most text.
 */
async function shapeOf(input: Input): Promise<Shape> {
  const places = new Map<string, Place>();
  const open: { hasText: boolean; hasElement: boolean }[] = [];
  /** The open elements near the root. */
  const near: { path: string; place: Place }[] = [];
  let elements = 0;
  let mixed = 0;
  const addText = (length: number) => {
    for (const { place } of near) place.text += length;
  };
  for await (const event of xmlEvents(input, () => {})) {
    const parent = open.at(-1);
    if (event.kind === 'text') {
      const { length } = event.text.trim();
      if (parent && length > 0) parent.hasText = true;
      addText(length);
    } else if (event.kind === 'open') {
      const { name, attributes } = event;
      if (!parent && TEXTS.has(name)) return { kind: 'text' };
      if (!parent && RECORDS[name])
        return { kind: 'records', path: RECORDS[name], of: name === 'mediawiki' ? 'wiki' : 'feed' };
      if (parent) parent.hasElement = true;
      const outer = near.at(-1);
      if (outer) outer.place.hasParts = true;
      if (open.push({ hasText: false, hasElement: false }) <= RECORD_DEPTH + 1) {
        const path = outer ? `${outer.path}/${name}` : name;
        const place = places.get(path) ?? { name, count: 0, elements: 0, text: 0, hasParts: false };
        places.set(path, place);
        place.count++;
        place.hasParts ||= attributes.size > 1;
        near.push({ path, place });
      }
      for (const { place } of near) place.elements++;
      for (const value of attributes.values()) addText(value.length);
      if (++elements >= ENOUGH) break;
    } else {
      const closed = open.pop();
      near.length = Math.min(near.length, open.length);
      if (closed?.hasText && closed.hasElement) mixed++;
    }
  }
  const [root, ...others] = [...places];
  const text = root?.[1].text ?? 0;
  const [path, { count = 0 } = {}] =
    others
      .filter(([, place]) => place.elements >= elements * LEAST_SHARE && place.text >= text * LEAST_SHARE)
      .filter(([, { name, hasParts }]) => hasParts && !PARTS_OF_TEXTS.has(name))
      .sort(([a, { count }], [b, other]) => other.count - count || a.length - b.length)[0] ?? [];
  const isText = path === undefined || count < 2 || mixed > elements * MIXED;
  return isText ? { kind: 'text' } : { kind: 'records', path };
}

/** Fields with the text of an entry, the whole one first. */
const ENTRY_TEXTS = ['encoded', 'content', 'description', 'summary'];

/** The document of an entry of a feed (RSS, Atom). Its text is HTML. */
async function readEntry(input: Input, fields: Fields, number: number): Promise<Document | undefined> {
  const value = (...names: string[]) =>
    names.map((name) => textOf(fields.get(name) ?? '')).find((text) => text !== '');
  const title = value('title')?.replace(/<[^>]*>/g, '');
  const html = value(...ENTRY_TEXTS) ?? title;
  if (html === undefined) return undefined;
  const url = firstOf(fields.get('link.href')) ?? firstOf(fields.get('link')) ?? firstOf(fields.get('guid'));
  const metadata: Record<string, MetadataValue> = {};
  const date = value('pubDate', 'published', 'updated', 'date');
  if (date !== undefined) metadata.date = date;
  const author = value('author.name', 'creator', 'author');
  if (author !== undefined) metadata.author = author;
  const categories = [fields.get('category') ?? fields.get('category.term') ?? []].flat().map(String);
  if (categories.length > 0) metadata.category = categories;
  const file = {
    source: input.source,
    path: `${input.path}: entry ${number}`,
    extension: '.html',
    open: async function* () {
      yield Buffer.from(`<!doctype html><meta charset="utf-8"><body>${html}</body>`);
    },
  };
  for await (const { blocks } of input.nested(file))
    return {
      source: input.source,
      id: value('id', 'guid') ?? url,
      title,
      url: url?.includes('://') ? url : undefined,
      metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
      blocks,
    };
  return undefined;
}

function firstOf(value: MetadataValue | undefined): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first === '' ? undefined : String(first);
}
