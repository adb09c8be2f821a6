import { nativeDigest } from '#native';
import type { CompiledModel } from '../../format/compiled-model.ts';
import { bytesOf, copied } from '../../format/container.ts';
import { type Passage, withTitle } from '../../format/passage.ts';
import { PART } from '../../format/tokens-file.ts';
import type { PassageEmbeddings } from '../../format/write-index.ts';
import type { Cache } from './cache.ts';

/** Change it with the values below. */
const VERSION = 1;

/** The embeddings of passages, in a cache. FORMAT.md describes the values. */
export function cachedEmbeddings(cache: Cache, model: CompiledModel) {
  const { hash, neutral, engine, prefixes, maxTokens, dimensions } = model;
  // Embeddings of a damaged library must not outlive it.
  const code = engine === 'packed' ? nativeDigest('engine') : engine;
  const kindFor = (tokens: string | null) =>
    `embeddings ${JSON.stringify([VERSION, hash, neutral, code, prefixes, maxTokens, tokens])}`;
  const kinds = { vectors: kindFor(null), tokens: kindFor(model.tokens?.hash ?? null) };
  const questions = `question ${kinds.vectors}`;
  /** A vector with token states is as good as one without. */
  const kindsFor = (tokens: boolean) => (tokens ? [kinds.tokens] : [kinds.tokens, kinds.vectors]);
  return {
    /** Whether a passage's embeddings are there, with or without token states. They may still be damaged. */
    has(passage: Passage, tokens: boolean): boolean {
      return kindsFor(tokens).some((kind) => cache.has(kind, keyOf(passage)));
    },
    get(passage: Passage, tokens: boolean): PassageEmbeddings | undefined {
      const key = keyOf(passage);
      for (const kind of kindsFor(tokens)) {
        const value = cache.get(kind, key);
        const embeddings = value && decode(value, dimensions, passage.sentences.length);
        if (embeddings) return tokens ? embeddings : { ...embeddings, codes: undefined };
      }
      return undefined;
    },
    put(passage: Passage, embeddings: PassageEmbeddings): void {
      cache.put(embeddings.codes ? kinds.tokens : kinds.vectors, keyOf(passage), encode(embeddings));
    },
    question(text: string): Float32Array | undefined {
      const value = cache.get(questions, text);
      return value?.length === 4 * dimensions ? new Float32Array(copied(value)) : undefined;
    },
    putQuestion: (text: string, vector: Float32Array) => cache.put(questions, text, bytesOf(vector)),
  };
}

/** What the embeddings of a passage depend on, beside the model. */
function keyOf(passage: Passage): string {
  const { text, start } = withTitle(passage);
  return JSON.stringify([text, start, passage.sentences]);
}

function encode({ vector, sentences, codes }: PassageEmbeddings): Uint8Array {
  const packed = new Uint8Array((codes?.length ?? 0) / 2);
  for (let i = 0; i < packed.length; i++) packed[i] = codes![2 * i]! | (codes![2 * i + 1]! << 4);
  return Buffer.concat([bytesOf(vector), ...sentences.map(bytesOf), packed]);
}

/** Undefined for a value of other dimensions. */
function decode(value: Buffer, dimensions: number, sentences: number): PassageEmbeddings | undefined {
  const [vectors, parts] = [(4 + sentences) * dimensions, dimensions / PART / 2];
  if (value.length < vectors || (value.length - vectors) % parts !== 0) return undefined;
  const [vector, rest] = [value.subarray(0, 4 * dimensions), value.subarray(4 * dimensions)];
  const codes = new Uint8Array(2 * (value.length - vectors));
  value.subarray(vectors).forEach((byte, i) => {
    codes[2 * i] = byte & 15;
    codes[2 * i + 1] = byte >> 4;
  });
  return {
    vector: new Float32Array(copied(vector)),
    sentences: Array.from({ length: sentences }, (_, i) => {
      const bytes = rest.subarray(i * dimensions, (i + 1) * dimensions);
      return new Int8Array(copied(bytes));
    }),
    codes,
  };
}
