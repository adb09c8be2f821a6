import { createHash } from 'node:crypto';
import type { Document } from '../documents/document.ts';
import type { Notice } from '../documents/file.ts';
import { HashTable, hash48, Numbers } from '../format/compact.ts';
import type { CompiledModel } from '../format/compiled-model.ts';
import type { LanguageCount } from '../format/languages-file.ts';
import type { Passage } from '../format/passage.ts';
import { messageOf } from '../kit/errors.ts';
import type { Cache } from './cache/cache.ts';
import { codeHash } from './cache/code-hash.ts';
import { cachedEmbeddings } from './cache/embeddings.ts';
import { type Cut, type Cutter, createCutter, createSplitter } from './passages/split.ts';
import { SpooledList } from './reading/spooled-list.ts';
import { refuse } from './sources/source.ts';

/** Tokens per passage, unless its section is shorter: long enough to contain a whole answer, short enough to read. */
const MIN_TOKENS = 192;
const MAX_TOKENS = 400;

/** How far a build is. Its phases follow each other. */
export interface BuildProgress {
  /** `reading` includes cutting documents into passages. */
  phase: 'reading' | 'embedding' | 'writing';
  unit: 'files' | 'documents' | 'passages';
  done: number;
  /** How many there are in all. Only the caller can know that of documents. */
  total?: number;
  passages?: number;
}

export type Progress = (progress: BuildProgress) => void;

export interface ReadingOptions {
  progress?: Progress;
  cache?: Cache;
  /** Called with each document that is skipped: its id is taken, or it cannot be cut. By default, the build ends there. */
  report?: (notice: Notice) => void;
  /** Stops the build between two documents or passages, with its reason. The cache keeps what was done. */
  signal?: AbortSignal | undefined;
}

/** The passages of documents, in a temporary file, and what is known of them. */
export interface ReadPassages {
  spool: SpooledList<Passage>;
  documents: number;
  sentences: number;
  tokens: number;
  /** Of each language, in order of first appearance. */
  languages: Map<string, LanguageCount>;
  /** Ordinals of the passages whose embeddings are not in the cache, for an index with or without token states. */
  missing: { withTokens: Numbers; withoutTokens: Numbers };
}

/** Reads documents and cuts them into passages. Takes constant memory, except for some bytes a passage. */
export async function readPassages(
  documents: AsyncIterable<Document> | Iterable<Document>,
  path: string,
  model: CompiledModel,
  countTokens: (text: string) => number,
  { progress = () => {}, cache, report = refuse, signal }: ReadingOptions,
): Promise<ReadPassages> {
  const spool = new SpooledList<Passage>(path);
  const read: ReadPassages = {
    spool,
    documents: 0,
    sentences: 0,
    tokens: 0,
    languages: new Map(),
    missing: { withTokens: new Numbers(), withoutTokens: new Numbers() },
  };
  try {
    const ordinals = new HashTable();
    const embeddings = cache && cachedEmbeddings(cache, model);
    const limit = maxTokens(model);
    // A model may see fewer tokens.
    const minTokens = Math.min(MIN_TOKENS, Math.ceil(limit / 2));
    const cutter = createCutter({ countTokens, minTokens, maxTokens: limit });
    const cached = cache ? cachedCutter(cache, cutter, model) : cutter;
    const split = createSplitter((document, before) => {
      const cut = cached(document, before);
      for (const { tokens } of cut.passages) read.tokens += tokens;
      return cut;
    });
    for await (const document of documents) {
      signal?.throwIfAborted();
      let passages: Passage[];
      let records: Buffer[];
      try {
        passages = split(document);
        records = passages.map((passage) => Buffer.from(JSON.stringify(passage)));
      } catch (error) {
        report(uncut(document, error));
        continue;
      }
      const notice = addIds(passages, spool, ordinals);
      if (notice) {
        report(notice);
        continue;
      }
      if (!document.part) read.documents++;
      for (const [i, passage] of passages.entries()) {
        if (!embeddings?.has(passage, true)) read.missing.withTokens.push(spool.length);
        if (!embeddings?.has(passage, false)) read.missing.withoutTokens.push(spool.length);
        spool.add(records[i]!);
        count(read, passage);
      }
      progress({ phase: 'reading', unit: 'documents', done: read.documents, passages: spool.length });
    }
    return read;
  } catch (error) {
    spool.close();
    throw error;
  }
}

/** The notice for a document whose text cannot be cut into passages, or whose passages are too long to be written. */
function uncut({ source, id }: Document, error: unknown): Notice {
  const place = id === undefined ? source : `${source} (${id})`;
  const fix = `Shorten its paragraphs and headings, or exclude it (${messageOf(error)}).`;
  return { kind: 'failed', place, reason: 'cannot be cut into passages', fix };
}

function count(read: ReadPassages, { lang, sentences }: Passage): void {
  const language = read.languages.get(lang) ?? { passages: 0, sentences: 0 };
  read.languages.set(lang, language);
  language.passages++;
  language.sentences += sentences.length;
  read.sentences += sentences.length;
}

/** Adds the ids of the next passages. Returns a notice instead if an earlier passage has one of them. */
function addIds(
  passages: readonly Passage[],
  spool: SpooledList<Passage>,
  ordinals: HashTable,
): Notice | undefined {
  const hashes = passages.map(({ id }) => hash48(createHash('sha256').update(id).digest()));
  for (const [i, { id, source }] of passages.entries()) {
    const ordinal = ordinals.get(hashes[i]!);
    const other = ordinal === undefined ? undefined : spool.get(ordinal);
    if (other?.id !== id) continue;
    const fix = `${JSON.stringify(id)} is also in ${other.source}. Give each record a unique id.`;
    return { kind: 'failed', place: source, reason: 'repeated id', fix };
  }
  for (const [i, hash] of hashes.entries()) ordinals.set(hash, spool.length + i);
  return undefined;
}

function cachedCutter(cache: Cache, cutter: Cutter, model: CompiledModel): Cutter {
  const code = codeHash('index/ingest/passages', 'index/text', 'index/documents/plain');
  const kind = `passages ${JSON.stringify([code, model.hash, MIN_TOKENS, maxTokens(model)])}`;
  return (document, before) => {
    const { source, title, lang, blocks } = document;
    const name = source.slice(source.lastIndexOf('/') + 1);
    const key = JSON.stringify([name, title, lang, blocks, before]);
    const value = cache.get(kind, key);
    if (value) return JSON.parse(value.toString()) as Cut;
    const cut = cutter(document, before);
    cache.put(kind, key, Buffer.from(JSON.stringify(cut)));
    return cut;
  };
}

/** A passage must fit the model together with its prefix and the begin and end tokens, so that it is embedded at once. */
function maxTokens({ maxTokens: limit, prefixes }: CompiledModel): number {
  return Math.min(MAX_TOKENS, limit - 2 - prefixes.passage.length);
}
