import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from './documents/document.ts';
import type { TextEmbedder } from './embedding/embedder.ts';
import type { TokenEmbedder } from './embedding/token-embedder.ts';
import { Tokenizer } from './embedding/tokenizer.ts';
import type { CompiledModel } from './format/compiled-model.ts';
import { checkFreeSpace, writeFolder } from './format/drafts.ts';
import { GraphBuilder } from './format/graph-builder.ts';
import type { Manifest } from './format/manifest.ts';
import type { Passage } from './format/passage.ts';
import { quantized } from './format/sentences-file.ts';
import { withTitle } from './format/titled.ts';
import { PART } from './format/token-codes-file.ts';
import { checkIndexFolder, checkPassages, writeIndexFiles } from './format/write-index.ts';
import { findDuplicates } from './passages/duplicates.ts';
import { createCutter, Splitter } from './passages/split.ts';
import { findSuggestions } from './suggestions.ts';

/** Tokens per passage, unless its section is shorter: long enough to contain an answer, short enough to read. */
const MIN_TOKENS = 64;
const MAX_TOKENS = 400;

/** Whether an index gets token states: `auto` adds them if the function's bundle has space for them. */
export type TokenSetting = 'on' | 'off' | 'auto';

/** Bytes of a function's bundle that an index with token states may use: Lambda's limit of 250 MB, minus the model and the code. */
const BUNDLE_SPACE = 160e6;

/** Reports how many texts (passages and their sentences) are embedded, of how many. */
export type Progress = (done: number, total: number) => void;

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
  { progress = () => {}, tokens = 'auto' }: { progress?: Progress; tokens?: TokenSetting } = {},
): Promise<Manifest> {
  checkIndexFolder(target);
  const passages: Passage[] = [];
  let count = 0;
  const splitter = new Splitter(
    createCutter({ countTokens, minTokens: MIN_TOKENS, maxTokens: maxTokens(embedder.model) }),
  );
  for await (const document of documents) {
    if (!document.part) count++;
    for (const passage of splitter.split(document)) passages.push(passage);
  }
  checkPassages(passages);
  return writeFolder(target, async (draft) => {
    checkFreeSpace(draft, leastBytes(passages, embedder.model.dimensions));
    const byToken = storesTokens(tokens, passages, embedder, countTokens) ? embedder.byToken : undefined;
    const embedded = await embedPassages(passages, embedder, byToken, progress);
    const suggestions = await findSuggestions(passages, embedded.vectors, embedder);
    const duplicates = findDuplicates(passages.map(({ text }) => text));
    const contents = { documents: count, passages, ...embedded, suggestions, duplicates };
    return writeIndexFiles(draft, embedder.model, contents);
  });
}

/** A lower bound for the size of an index: a byte per number of each embedding. */
function leastBytes(passages: readonly Passage[], dimensions: number): number {
  return dimensions * passages.reduce((sum, { sentences }) => sum + 1 + sentences.length, 0);
}

/**
 * Whether to store token states.
 * @throws for `on` with a model that has none
 */
function storesTokens(
  setting: TokenSetting,
  passages: readonly Passage[],
  { model, byToken }: TextEmbedder,
  countTokens: (text: string) => number,
): boolean {
  if (setting === 'off') return false;
  if (!byToken) {
    if (setting === 'auto') return false;
    throw new Error(
      `The model ${model.name} has no token states. Run npm run learn -- --model FOLDER, or build without --tokens on.`,
    );
  }
  if (setting === 'on') return true;
  // An upper bound: frequent tokens are not stored.
  const tokens = passages.reduce((sum, { text }) => sum + countTokens(text), 0);
  return leastBytes(passages, model.dimensions) + (tokens * model.dimensions) / PART / 2 < BUNDLE_SPACE;
}

/** The embeddings of passages, as an index contains them. */
interface EmbeddedPassages {
  vectors: Float32Array[];
  sentences: Int8Array[][];
  graph: GraphBuilder;
  tokens?: Uint8Array[];
}

/** Embeds passages and their sentences, and links the passages in a graph. */
async function embedPassages(
  passages: readonly Passage[],
  embedder: TextEmbedder,
  byToken: TokenEmbedder | undefined,
  progress: Progress,
): Promise<EmbeddedPassages> {
  let done = 0;
  let total = 0;
  const count = async <T>(result: Promise<T>): Promise<T> => {
    total++;
    const value = await result;
    progress(++done, total);
    return value;
  };
  const embedWhole = async (text: string): Promise<{ vector: Float32Array; codes?: Uint8Array }> =>
    byToken ? byToken.passage(text) : { vector: await embedder.embed(text, 'passage') };
  const embedding = passages.map((passage) => {
    const { text, sentences } = passage;
    const { text: titled, start: titleEnd } = withTitle(passage);
    const whole = count(embedWhole(titled));
    const parts = sentences.map(async ([start, end]) => {
      const isWhole = titleEnd === 0 && start === 0 && end === text.length;
      const { vector } = isWhole
        ? await whole
        : { vector: await count(embedder.embed(text.slice(start, end), 'passage')) };
      return quantized(vector);
    });
    const quantizedParts = Promise.all(parts);
    // The loop below reports the first failure. Without a handler, Node would end the process for the others.
    for (const promise of [whole, quantizedParts]) promise.catch(() => {});
    return { whole, parts: quantizedParts };
  });
  const tokens: Uint8Array[] = [];
  const vectors: Float32Array[] = [];
  const sentences: Int8Array[][] = [];
  // Linking a passage overlaps with the embedding of later ones.
  const graph = new GraphBuilder(passages.length, embedder.model.dimensions);
  for (const { whole, parts } of embedding) {
    const { vector, codes } = await whole;
    vectors.push(vector);
    if (codes) tokens.push(codes);
    graph.add(vectors.at(-1)!);
    sentences.push(await parts);
  }
  return { vectors, sentences, graph, ...(byToken && { tokens }) };
}

/** Returns a function that counts a text's tokens with a compiled model's tokenizer. */
export function tokenCounter(modelDir: string): (text: string) => number {
  const tokenizer = new Tokenizer(readFileSync(join(modelDir, 'tokenizer.bin')));
  return (text) => tokenizer.pieces(text).length;
}

/** A passage must fit the model together with its prefix and the begin and end tokens, so that it is embedded at once. */
function maxTokens({ maxTokens: limit, prefixes }: CompiledModel): number {
  return Math.min(MAX_TOKENS, limit - 2 - prefixes.passage.length);
}
