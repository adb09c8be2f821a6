import { fieldKey } from '../format/lookup-file.ts';
import type { Filter, Passage } from '../format/passage.ts';
import type { Store } from '../store/store.ts';
import type { DocumentEntry, DocumentList, DocumentPart } from './answer.ts';
import { matching } from './candidates.ts';

/** Documents in a list, of which each may cost two calls to a store. */
const DOCUMENTS = 25;
/** Passages in a part of a document. */
const PASSAGES = 20;

/** Lists the documents of an index, or of a folder. See `Search.documents`. */
export async function listDocuments(
  store: Store,
  folder: string | undefined,
  from: number,
): Promise<DocumentList> {
  const { lists, manifest, size } = store;
  const filter: Filter =
    folder === undefined ? { lang: Object.keys(manifest.languages) } : { source: folder };
  const { ordinals = [] } = (await matching(lists, filter, manifest.fields, size)) ?? {};
  const known = new Set<number>();
  const documents: DocumentEntry[] = [];
  for (let at = from; at < ordinals.length; at++) {
    const ordinal = ordinals[at]!;
    if (known.has(ordinal)) continue;
    if (documents.length === DOCUMENTS) return { documents, next: at };
    const [row] = await store.rows([ordinal]);
    const passage = row!.passage();
    const own = (await ordinalsOf(store, passage.source)) ?? [ordinal];
    for (const one of own) known.add(one);
    // An update in S3 Vectors may move a part of a document to the end of the index.
    if (own[0] === ordinal) documents.push(entryOf(passage, own.length));
  }
  return { documents };
}

/** Reads passages of a document in reading order. See `Search.document`. */
export async function readDocument(
  store: Store,
  source: string,
  from: number,
): Promise<DocumentPart | undefined> {
  const own = await ordinalsOf(store, source);
  if (!own || from >= own.length) return undefined;
  const end = from + PASSAGES;
  const isInOrder = own.at(-1)! - own[0]! === own.length - 1;
  const rows = await store.rows([...(isInOrder ? own.subarray(from, end) : own)]);
  const read = rows.map((row) => row.passage());
  const passages = isInOrder ? read : read.sort((a, b) => a.position - b.position).slice(from, end);
  return {
    ...entryOf(passages[0]!, own.length),
    texts: passages.map(({ text }) => text),
    ...(end < own.length && { next: end }),
  };
}

/** The passages of a document, ascending; undefined if there is none. */
async function ordinalsOf({ lists }: Store, source: string): Promise<Uint32Array | undefined> {
  return source.endsWith('/') ? undefined : (await lists.list(fieldKey('source', source)))?.ordinals;
}

function entryOf({ source, title, above = 0, url, lang }: Passage, passages: number): DocumentEntry {
  return { source, title: title.split(' › ')[above] ?? title, ...(url && { url }), lang, passages };
}
