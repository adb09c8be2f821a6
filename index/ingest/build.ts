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
import { publicDocuments, type RestrictedDocuments } from './restricted.ts';
import { refuse } from './sources/source.ts';
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

interface Built extends BuildSummary {
  manifest: Manifest;
  /** Of the indexes that only some groups may search. */
  restricted: Manifest[];
}

/** What one index of a build is made of. */
interface Part {
  /** Its folder. */
  folder: string;
  groups?: string[];
  read: ReadPassages;
}

/**
 * Builds an index from documents, and in its folder one for each list of groups that some documents are restricted to. The order of the passages, and so the bytes of the index, depend only on the documents.
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
    const parts: Part[] = [];
    try {
      await readParts(parts, documents, draft, embedder.model, countTokens, options);
      checkFreeSpace(draft, leastBytes(totalOf(parts), embedder.model.dimensions));
      return await embedAndWrite(parts, embedder, options);
    } finally {
      for (const { read } of parts) read.spool.close();
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
    const parts: Part[] = [];
    await readParts(parts, documents, folder, model, countTokens, options);
    for (const { read } of parts) read.spool.close();
    return planOf(parts, storesTokens(options, totalOf(parts), model, model.tokens !== undefined));
  });
}

/**
 * Reads the passages of each index: first the public one, then those of restricted documents.
 * @param parts receives them
 * @param folder of the public index
 * @throws if there is no text, or none that everyone may read
 */
async function readParts(
  parts: Part[],
  documents: AsyncIterable<Document> | Iterable<Document>,
  folder: string,
  model: CompiledModel,
  countTokens: (text: string) => number,
  options: BuildOptions,
): Promise<void> {
  const restricted: RestrictedDocuments[] = [];
  const read = async (from: Parameters<typeof readPassages>[0], folder: string, groups?: string[]) => {
    const path = join(folder, 'passages.tmp');
    const passages = await readPassages(from, path, model, countTokens, options);
    parts.push({ folder, read: passages, ...(groups && { groups }) });
    if (passages.spool.length > 0) return;
    if (restricted.length === 0) throw new NoText();
    throw new Error(
      groups
        ? `The documents for ${groups.join(', ')} contain no text. Exclude them, or add text.`
        : 'All documents are restricted to groups. Add one that everyone may read, such as a page about how to get access.',
    );
  };
  try {
    await read(publicDocuments(documents, folder, restricted, options.report ?? refuse), folder);
    for (const { documents, folder, groups } of restricted) await read(documents.values(), folder, groups);
  } finally {
    for (const { documents } of restricted) documents.close();
  }
}

/** How much the indexes of a build contain together. */
type Total = ReturnType<typeof totalOf>;

function totalOf(parts: readonly Part[]) {
  const sum = (value: (read: ReadPassages) => number) =>
    parts.reduce((total, { read }) => total + value(read), 0);
  return {
    documents: sum(({ documents }) => documents),
    passages: sum(({ spool }) => spool.length),
    sentences: sum(({ sentences }) => sentences),
    tokens: sum(({ tokens }) => tokens),
    bytes: sum(({ spool }) => spool.bytes),
  };
}

function planOf(parts: readonly Part[], tokens: boolean): BuildSummary {
  const { documents, passages, sentences } = totalOf(parts);
  const embedded = parts.reduce((total, { read }) => total + missing(read, tokens).length, 0);
  return { documents, passages, sentences, tokens, embedded, unchanged: passages - embedded };
}

function missing({ missing }: ReadPassages, tokens: boolean): Numbers {
  return tokens ? missing.withTokens : missing.withoutTokens;
}

/** A lower bound for the size of an index: a byte per number of each embedding. */
function leastBytes({ passages, sentences }: Total, dimensions: number): number {
  return dimensions * (passages + sentences);
}

/**
 * Whether to store token states.
 * @throws for `on` with a model that has none
 */
function storesTokens(
  { tokens: setting = 'auto', bundled = true }: BuildOptions,
  read: Total,
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
  const bytes = leastBytes(read, model.dimensions) + tokens + TEXT_BYTES * read.bytes;
  return bytesBesideIndexes(model) + bytes < BUNDLE_LIMIT;
}

async function embedAndWrite(
  parts: readonly Part[],
  embedder: TextEmbedder,
  options: BuildOptions,
): Promise<Built> {
  const { progress = () => {}, planned } = options;
  const tokens = storesTokens(options, totalOf(parts), embedder.model, embedder.byToken !== undefined);
  const plan = planOf(parts, tokens);
  planned?.(plan);
  let embedded = 0;
  const count = () => {
    embedded++;
    const total = Math.max(plan.embedded, embedded);
    progress({ phase: 'embedding', unit: 'passages', done: embedded, total });
  };
  const manifests: Manifest[] = [];
  for (const part of parts) manifests.push(await writeIndex(part, tokens, embedder, options, count));
  const [manifest, ...restricted] = manifests;
  return { manifest: manifest!, restricted, ...plan, embedded, unchanged: plan.passages - embedded };
}

/** @param count called for each passage that was not in the cache before the build */
async function writeIndex(
  { read, folder, groups }: Part,
  tokens: boolean,
  embedder: TextEmbedder,
  options: BuildOptions,
  count: () => void,
): Promise<Manifest> {
  const { progress = () => {}, cache, signal } = options;
  const { model } = embedder;
  const { spool } = read;
  const known = options.lexical ? undefined : cache && cachedEmbeddings(cache, model);
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
  const { tuning } = options;
  const writer = indexWriter(folder, model, { ...read, tokens, tuning, ...(groups && { access: groups }) });
  const graph = graphLinker(writer.vectorsPath, join(folder, 'graph.bin'), spool.length, model.dimensions);
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
        (groups ? undefined : options.suggestions) ??
        (await suggestions.find(() => writer.vectors(), options.lexical ? undefined : embedQuestion)),
      duplicates: duplicates.groups(),
    });
    await linked;
    return writer.writeManifest();
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
