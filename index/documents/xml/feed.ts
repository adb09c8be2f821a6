import type { Document, MetadataValue } from '../document.ts';
import type { Input } from '../input.ts';
import { type Fields, textOf } from '../records/values.ts';

/** Fields with the text of an entry, the whole one first. */
const TEXTS = ['encoded', 'content', 'description', 'summary'];

/** The document of an entry of a feed (RSS, Atom). Its text is HTML. */
export async function readEntry(input: Input, fields: Fields, number: number): Promise<Document | undefined> {
  const value = (...names: string[]) =>
    names.map((name) => textOf(fields.get(name) ?? '')).find((text) => text !== '');
  const title = value('title')?.replace(/<[^>]*>/g, '');
  const html = value(...TEXTS) ?? title;
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
