import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TextEmbedder, TextKind } from '../../index/embedding/embedder.ts';
import type { TokenEmbedder } from '../../index/embedding/token-embedder.ts';
import type { CompiledModel } from '../../index/format/compiled-model.ts';

/** Bytes of a text's hash before its vector. */
const KEY = 16;
/** Vectors written at once: the most that a killed run loses. */
const BATCH = 500;

/** An embedder that caches its vectors in a file, so that a corpus is embedded only once. */
export class CachedVectors implements TextEmbedder {
  readonly model: CompiledModel;
  /** Not cached: token states are large. */
  readonly byToken?: TokenEmbedder;
  /** Hashes of the texts embedded since it was opened. */
  readonly asked = new Set<string>();
  readonly #embedder: TextEmbedder;
  readonly #file: string;
  readonly #known = new Map<string, Float32Array | Promise<Float32Array>>();
  #fresh: Uint8Array[] = [];

  /** @param file created if missing. Its vectors must be this model's */
  constructor(embedder: TextEmbedder, file: string) {
    this.model = embedder.model;
    this.byToken = embedder.byToken;
    this.#embedder = embedder;
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    if (existsSync(file)) this.#read();
  }

  async embed(text: string, kind?: TextKind): Promise<Float32Array> {
    const key = createHash('sha256')
      .update(`${kind}\0${text}`)
      .digest('hex')
      .slice(0, 2 * KEY);
    this.asked.add(key);
    const known = this.#known.get(key);
    if (known) return known;
    const vector = this.#embedder.embed(text, kind).then((found) => {
      this.#known.set(key, found);
      this.#fresh.push(
        Buffer.from(key, 'hex'),
        new Uint8Array(found.buffer, found.byteOffset, found.byteLength),
      );
      if (this.#fresh.length >= 2 * BATCH) this.flush();
      return found;
    });
    this.#known.set(key, vector);
    return vector;
  }

  /** Writes the new vectors to the file. */
  flush(): void {
    appendFileSync(this.#file, Buffer.concat(this.#fresh));
    this.#fresh = [];
  }

  #read(): void {
    const size = KEY + 4 * this.model.dimensions;
    const bytes = readFileSync(this.#file);
    const records = Math.floor(bytes.length / size);
    // A run killed while writing leaves part of a record.
    if (bytes.length % size !== 0) truncateSync(this.#file, records * size);
    const { buffer } = new Uint8Array(bytes);
    for (let at = 0; at < records * size; at += size) {
      const key = bytes.toString('hex', at, at + KEY);
      this.#known.set(key, new Float32Array(buffer, at + KEY, this.model.dimensions));
    }
  }
}
