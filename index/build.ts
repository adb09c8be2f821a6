import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from './documents/document.ts';
import type { TextEmbedder } from './embedding/embedder.ts';
import { Tokenizer } from './embedding/tokenizer.ts';
import type { CompiledModel } from './format/compiled-model.ts';
import { GraphBuilder } from './format/graph-builder.ts';
import type { Manifest } from './format/manifest.ts';
import type { Passage } from './format/passage.ts';
import { quantized } from './format/sentences-file.ts';
import { checkOut, checkPassages, writeIndex } from './format/write-index.ts';
import { toPassages } from './passages/split.ts';
import { findSuggestions } from './suggestions.ts';

/** Tokens that a passage has at least, where its section has as many, and at most: long enough to hold an answer, short enough to read. */
const MIN_TOKENS = 64;
const MAX_TOKENS = 400;

/** How far a build is, in texts (passages and their sentences) embedded. */
export type Progress = (done: number, total: number) => void;

/** The way from documents to an index on disk. Passages' order, and so the index's bytes, depend on the documents alone. */
export async function buildIndex(
  documents: AsyncIterable<Document> | Iterable<Document>,
  out: string,
  embedder: TextEmbedder,
  countTokens: (text: string) => number,
  progress: Progress = () => {},
): Promise<Manifest> {
  checkOut(out);
  const passages: Passage[] = [];
  let count = 0;
  for await (const document of documents) {
    count++;
    passages.push(
      ...toPassages(document, { countTokens, minTokens: MIN_TOKENS, maxTokens: maxTokens(embedder.model) }),
    );
  }
  // Before the embedding, which takes most of the time.
  checkPassages(passages);
  let done = 0;
  let total = 0;
  const embed = async (text: string): Promise<Float32Array> => {
    total++;
    const vector = await embedder.embed(text, 'passage');
    progress(++done, total);
    return vector;
  };
  const embedding = passages.map(({ text, sentences }) => {
    const whole = embed(text);
    const parts = sentences.map(([start, end]) =>
      start === 0 && end === text.length ? whole : embed(text.slice(start, end)),
    );
    const quantizedParts = Promise.all(parts.map(async (part) => quantized(await part)));
    // What fails is told of below, where the first failure ends the waiting for others.
    for (const promise of [whole, quantizedParts]) promise.catch(() => {});
    return { whole, parts: quantizedParts };
  });
  const vectors: Float32Array[] = [];
  const sentences: Int8Array[][] = [];
  // The graph grows while later passages are embedded.
  const graph = new GraphBuilder(passages.length, embedder.model.dimensions);
  for (const { whole, parts } of embedding) {
    vectors.push(await whole);
    graph.add(vectors.at(-1)!);
    sentences.push(await parts);
  }
  return writeIndex(out, embedder.model, {
    documents: count,
    passages,
    vectors,
    graph,
    sentences,
    suggestions: await findSuggestions(passages, vectors, embedder),
  });
}

/** Counts tokens as a compiled model does. */
export function tokenCounter(modelDir: string): (text: string) => number {
  const tokenizer = new Tokenizer(readFileSync(join(modelDir, 'tokenizer.bin')));
  return (text) => tokenizer.pieces(text).length;
}

/** A passage, its prefix, begin and end must fit the model at once: then nothing of it is embedded in pieces. */
function maxTokens({ maxTokens: most, prefixes }: CompiledModel): number {
  return Math.min(MAX_TOKENS, most - 2 - prefixes.passage.length);
}
