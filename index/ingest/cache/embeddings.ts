import { nativeDigest } from '#native';
import type { CompiledModel } from '../../format/compiled-model.ts';
import { bytesOf } from '../../format/container.ts';
import { type Passage, withTitle } from '../../format/passage.ts';
import { PART } from '../../format/tokens-file.ts';
import type { PassageEmbeddings } from '../../format/write-index.ts';
import type { Cache } from './cache.ts';

/** Change it with the values below. */
const VERSION = 1;

/** The embeddings of passages, in a cache. FORMAT.md describes the values. */
export class CachedEmbeddings {
  readonly #cache: Cache;
  readonly #model: CompiledModel;
  readonly #kinds: { vectors: string; tokens: string };

  constructor(cache: Cache, model: CompiledModel) {
    this.#cache = cache;
    this.#model = model;
    const { hash, neutral, engine, prefixes, maxTokens } = model;
    // Embeddings of a damaged library must not outlive it.
    const code = engine === 'packed' ? nativeDigest('engine') : engine;
    const of = (tokens: string | null) =>
      `embeddings ${JSON.stringify([VERSION, hash, neutral, code, prefixes, maxTokens, tokens])}`;
    this.#kinds = { vectors: of(null), tokens: of(model.tokens?.hash ?? null) };
  }

  /** Whether a passage's embeddings are there, with or without token states. They may still be damaged. */
  has(passage: Passage, tokens: boolean): boolean {
    return this.#kindsFor(tokens).some((kind) => this.#cache.has(kind, keyOf(passage)));
  }

  get(passage: Passage, tokens: boolean): PassageEmbeddings | undefined {
    const key = keyOf(passage);
    for (const kind of this.#kindsFor(tokens)) {
      const value = this.#cache.get(kind, key);
      const embeddings = value && decode(value, this.#model.dimensions, passage.sentences.length);
      if (embeddings) return tokens ? embeddings : { ...embeddings, codes: undefined };
    }
    return undefined;
  }

  put(passage: Passage, embeddings: PassageEmbeddings): void {
    const kind = embeddings.codes ? this.#kinds.tokens : this.#kinds.vectors;
    this.#cache.put(kind, keyOf(passage), encode(embeddings));
  }

  question(text: string): Float32Array | undefined {
    const value = this.#cache.get(`question ${this.#kinds.vectors}`, text);
    return value?.length === 4 * this.#model.dimensions
      ? new Float32Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.length))
      : undefined;
  }

  putQuestion(text: string, vector: Float32Array): void {
    this.#cache.put(`question ${this.#kinds.vectors}`, text, bytesOf(vector));
  }

  /** A vector with token states is as good as one without. */
  #kindsFor(tokens: boolean): string[] {
    return tokens ? [this.#kinds.tokens] : [this.#kinds.tokens, this.#kinds.vectors];
  }
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
  const vector = new Float32Array(value.buffer.slice(value.byteOffset, value.byteOffset + 4 * dimensions));
  const codes = new Uint8Array(2 * (value.length - vectors));
  value.subarray(vectors).forEach((byte, i) => {
    codes[2 * i] = byte & 15;
    codes[2 * i + 1] = byte >> 4;
  });
  return {
    vector,
    sentences: Array.from({ length: sentences }, (_, i) => {
      const start = value.byteOffset + (4 + i) * dimensions;
      return new Int8Array(value.buffer.slice(start, start + dimensions));
    }),
    codes,
  };
}
