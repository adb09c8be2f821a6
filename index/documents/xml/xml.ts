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

/** The share of elements that are records or in them. */
const LEAST_SHARE = 0.5;

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

/** Finds what a file is by its first elements: records are the most frequent element near the root that repeats, has
 * parts, and contains most elements. */
async function shapeOf(input: Input): Promise<Shape> {
  const counts = new Map<string, number>();
  const withParts = new Set<string>();
  /** How many elements are at a path or in those there. */
  const inside = new Map<string, number>();
  const open: { name: string; hasText: boolean; hasElement: boolean }[] = [];
  let elements = 0;
  let mixed = 0;
  for await (const event of xmlEvents(input, () => {})) {
    const parent = open.at(-1);
    if (event.kind === 'text') {
      if (parent && event.text.trim() !== '') parent.hasText = true;
    } else if (event.kind === 'open') {
      if (!parent) {
        if (TEXTS.has(event.name)) return { kind: 'text' };
        const path = RECORDS[event.name];
        if (path !== undefined)
          return { kind: 'records', path, of: event.name === 'mediawiki' ? 'wiki' : 'feed' };
      } else parent.hasElement = true;
      const parentPath = open.map(({ name }) => name).join('/');
      if (open.length <= RECORD_DEPTH + 1) withParts.add(parentPath);
      open.push({ name: event.name, hasText: false, hasElement: false });
      if (event.attributes.size > 1 && open.length <= RECORD_DEPTH + 1)
        withParts.add(`${parentPath}/${event.name}`);
      if (open.length > 1 && open.length <= RECORD_DEPTH + 1) {
        const path = `${parentPath}/${event.name}`;
        counts.set(path, (counts.get(path) ?? 0) + 1);
      }
      for (let depth = 2; depth <= Math.min(open.length, RECORD_DEPTH + 1); depth++) {
        const path = open
          .slice(0, depth)
          .map(({ name }) => name)
          .join('/');
        inside.set(path, (inside.get(path) ?? 0) + 1);
      }
      if (++elements >= ENOUGH) break;
    } else {
      const closed = open.pop();
      if (closed?.hasText && closed.hasElement) mixed++;
    }
  }
  const [path, count] = [...counts]
    .filter(([path]) => withParts.has(path) && inside.get(path)! >= elements * LEAST_SHARE)
    .sort((a, b) => b[1] - a[1] || a[0].length - b[0].length)[0] ?? ['', 0];
  return count >= 2 && mixed <= elements * MIXED ? { kind: 'records', path } : { kind: 'text' };
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
