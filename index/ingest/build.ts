import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from '../documents/document.ts';
import { FORMAT_NAMES } from '../documents/formats.ts';
import type { TextEmbedder } from '../embedding/embedder.ts';
import { Tokenizer } from '../embedding/tokenizer.ts';
import type { Numbers } from '../format/compact.ts';
import type { CompiledModel } from '../format/compiled-model.ts';
import { withTemporaryFolder, writeFolder } from '../format/drafts.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Suggestion } from '../format/overview-types.ts';
import { type Passage, withTitle } from '../format/passage.ts';
import { quantized } from '../format/sentences-file.ts';
import { PART } from '../format/tokens-file.ts';
import { checkFreeSpace } from '../format/writable.ts';
import { checkIndexFolder, indexWriter, type PassageEmbeddings } from '../format/write-index.ts';
import { graphLinker } from '../graph/graph-builder.ts';
import { BUNDLE_LIMIT, bytesBesideIndexes } from './bundle-space.ts';
import { cachedEmbeddings } from './cache/embeddings.ts';
import { DuplicateFinder } from './passages/duplicates.ts';
import { type ReadingOptions, type ReadPassages, readPassages } from './read-passages.ts';
import { SuggestionFinder } from './suggestions.ts';

/** Whether an index gets token states: `auto` adds them unless the index is for a function's bundle without space for them. */
export type TokenSetting = 'on' | 'off' | 'auto';

/** Bytes of `passages.bin` and `lookup.bin`, for each byte of the passages as JSON: an estimate from above. */
const TEXT_BYTES = 2;

/** Passages that are embedded at once: enough for all processes, few enough for memory. */
const IN_FLIGHT = 256;

export interface BuildOptions extends ReadingOptions {
  tokens?: TokenSetting;
  /** Whether the index is for a function's bundle, whose space is limited; true by default. */
  bundled?: boolean;
  /** How the confidence was fitted to questions about these documents. */
  tuning?: Manifest['tuning'];
  /** Questions to start with; default: found in the documents. */
  suggestions?: Suggestion[];
  /** Whether the index is to be searched in lexical mode only, so that its vectors need not be those of the texts. */
  lexical?: boolean;
  /** Called once all documents are read, before any passage is embedded. */
  planned?: (plan: BuildSummary) => void;
}

/** What a build will do, or has done. */
export interface BuildSummary {
  documents: number;
  passages: number;
  sentences: number;
  tokens: boolean;
  /** Passages whose embeddings were not in the cache before the build. */
  embedded: number;
  /** Passages whose embeddings were in the cache before the build. */
  unchanged: number;
}

/** The documents contain no text, so there is nothing to index. */
export class NoText extends Error {
  constructor() {
    super(`No text found. Formats: ${FORMAT_NAMES}.`);
  }
}

export interface Built extends BuildSummary {
  manifest: Manifest;
}

/**
 * Builds an index from documents. The order of the passages, and so the bytes of the index, depend only on the documents.
 * @param target the folder to write; replaces an existing index once the build succeeds
 * @throws before embedding if there is no text, two passages share an id, or `target` cannot be written
 */
export async function buildIndex(
  documents: AsyncIterable<Document> | Iterable<Document>,
  target: string,
  embedder: TextEmbedder,
  countTokens: (text: string) => number,
  options: BuildOptions = {},
): Promise<Built> {
  checkIndexFolder(target);
  const built = await writeFolder(target, async (draft) => {
    const path = join(draft, 'passages.tmp');
    const read = await readPassages(documents, path, embedder.model, countTokens, options);
    try {
      if (read.spool.length === 0) throw new NoText();
      checkFreeSpace(draft, leastBytes(read, embedder.model.dimensions));
      return await embedAndWrite(read, draft, embedder, options);
    } finally {
      read.spool.close();
    }
  });
  options.cache?.tidy();
  return built;
}

/** Says what a build would do, without an embedder's work and without an index. */
export async function planIndex(
  documents: AsyncIterable<Document> | Iterable<Document>,
  model: CompiledModel,
  countTokens: (text: string) => number,
  options: BuildOptions = {},
): Promise<BuildSummary> {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-plan-'));
  return withTemporaryFolder(folder, async () => {
    const path = join(folder, 'passages.tmp');
    const read = await readPassages(documents, path, model, countTokens, options);
    read.spool.close();
    return planOf(read, storesTokens(options, read, model, model.tokens !== undefined));
  });
}

function planOf(read: ReadPassages, tokens: boolean): BuildSummary {
  const { documents, sentences } = read;
  const passages = read.spool.length;
  const embedded = missing(read, tokens).length;
  return { documents, passages, sentences, tokens, embedded, unchanged: passages - embedded };
}

function missing({ missing }: ReadPassages, tokens: boolean): Numbers {
  return tokens ? missing.withTokens : missing.withoutTokens;
}

/** A lower bound for the size of an index: a byte per number of each embedding. */
function leastBytes({ spool, sentences }: ReadPassages, dimensions: number): number {
  return dimensions * (spool.length + sentences);
}

/**
 * Whether to store token states.
 * @throws for `on` with a model that has none
 */
function storesTokens(
  { tokens: setting = 'auto', bundled = true }: BuildOptions,
  read: ReadPassages,
  model: CompiledModel,
  isPossible: boolean,
): boolean {
  if (setting === 'off') return false;
  if (!isPossible) {
    if (setting === 'auto') return false;
    throw new Error(
      `The model ${model.name} has no token states. Run npx polyseek learn --model FOLDER, or build without --tokens on.`,
    );
  }
  if (setting === 'on' || !bundled) return true;
  // An upper bound: frequent tokens are not stored.
  const tokens = (read.tokens * model.dimensions) / PART / 2;
  const bytes = leastBytes(read, model.dimensions) + tokens + TEXT_BYTES * read.spool.bytes;
  return bytesBesideIndexes(model) + bytes < BUNDLE_LIMIT;
}

async function embedAndWrite(
  read: ReadPassages,
  draft: string,
  embedder: TextEmbedder,
  options: BuildOptions,
): Promise<Built> {
  const { progress = () => {}, planned, cache, signal } = options;
  const { model } = embedder;
  const { spool } = read;
  const tokens = storesTokens(options, read, model, embedder.byToken !== undefined);
  const known = options.lexical ? undefined : cache && cachedEmbeddings(cache, model);
  const plan = planOf(read, tokens);
  planned?.(plan);
  let embedded = 0;
  const count = () => {
    embedded++;
    const total = Math.max(plan.embedded, embedded);
    progress({ phase: 'embedding', unit: 'passages', done: embedded, total });
  };
  const embed = async (passage: Passage): Promise<PassageEmbeddings> => {
    const embeddings = await embedPassage(passage, embedder, tokens);
    known?.put(passage, embeddings);
    count();
    return embeddings;
  };
  const embedQuestion = async (question: string): Promise<Float32Array> => {
    const vector = known?.question(question) ?? (await embedder.embed(question, 'query'));
    known?.putQuestion(question, vector);
    return vector;
  };
  const writer = indexWriter(draft, model, { ...read, tokens, tuning: options.tuning });
  const graph = graphLinker(writer.vectorsPath, join(draft, 'graph.bin'), spool.length, model.dimensions);
  const duplicates = new DuplicateFinder((ordinal) => spool.get(ordinal).text);
  const suggestions = new SuggestionFinder();
  const inFlight: { passage: Passage; embeddings: PassageEmbeddings | Promise<PassageEmbeddings> }[] = [];
  // Indexing and linking a passage overlaps with the embedding of later ones.
  const addFirst = async () => {
    const { passage, embeddings } = inFlight.shift()!;
    const before = writer.vectorsWritten();
    writer.add(passage, await embeddings);
    if (writer.vectorsWritten() > before) graph.available(writer.vectorsWritten());
    duplicates.add(passage.text);
    suggestions.add(passage);
    signal?.throwIfAborted();
  };
  try {
    signal?.throwIfAborted();
    const unknown = missing(read, tokens);
    for (let ordinal = 0, next = 0; ordinal < spool.length; ordinal++) {
      if (inFlight.length === IN_FLIGHT) await addFirst();
      const passage = spool.get(ordinal);
      const wasUnknown = next < unknown.length && unknown.get(next) === ordinal;
      if (wasUnknown) next++;
      const found = known?.get(passage, tokens);
      // Another passage of this build has the same text.
      if (found && wasUnknown) count();
      const embeddings = found ?? embed(passage);
      // The build ends with the first failure. Without a handler, Node would end the process for the others.
      if (embeddings instanceof Promise) embeddings.catch(() => {});
      inFlight.push({ passage, embeddings });
    }
    while (inFlight.length > 0) await addFirst();
    cache?.flush();
    writer.flushVectors();
    const linked = graph.finish();
    // The build awaits it below.
    linked.catch(() => {});
    writer.finish({
      records: counted(spool.records(), (done) =>
        progress({ phase: 'writing', unit: 'passages', done, total: spool.length }),
      ),
      suggestions:
        options.suggestions ??
        (await suggestions.find(() => writer.vectors(), options.lexical ? undefined : embedQuestion)),
      duplicates: duplicates.groups(),
    });
    await linked;
    const manifest = writer.writeManifest();
    return { manifest, ...plan, embedded, unchanged: spool.length - embedded };
  } finally {
    graph.abandon();
  }
}

async function embedPassage(
  passage: Passage,
  embedder: TextEmbedder,
  tokens: boolean,
): Promise<PassageEmbeddings> {
  const { text, sentences } = passage;
  const { text: titled, start: titleEnd } = withTitle(passage);
  const whole = tokens
    ? embedder.byToken!.passage(titled)
    : embedder.embed(titled, 'passage').then((vector) => ({ vector, codes: undefined }));
  const parts = sentences.map(async ([start, end]) => {
    const isWhole = titleEnd === 0 && start === 0 && end === text.length;
    const vector = isWhole ? (await whole).vector : await embedder.embed(text.slice(start, end), 'passage');
    return quantized(vector);
  });
  const [{ vector, codes }, vectors] = await Promise.all([whole, Promise.all(parts)]);
  return { vector, sentences: vectors, codes };
}

function* counted<T>(values: Iterable<T>, report: (done: number) => void): Generator<T> {
  let done = 0;
  for (const value of values) {
    yield value;
    report(++done);
  }
}

/** Returns a function that counts a text's tokens with a compiled model's tokenizer. */
export function tokenCounter(modelDir: string): (text: string) => number {
  const tokenizer = new Tokenizer(readFileSync(join(modelDir, 'tokenizer.bin')));
  return (text) => tokenizer.pieces(text).length;
}
