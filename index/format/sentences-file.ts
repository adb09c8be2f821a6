import { type Format, writeSections } from './container.ts';
import { SectionsFile } from './container-file.ts';
import { DotProducts } from './dot-product.ts';

/** `sentences.bin`: a vector for each sentence of each passage. FORMAT.md beside this file has its layout. */
export const SENTENCES: Format = { magic: 'PSSE', version: 1, sections: 2 };

/** Bytes of the length (f32) behind each vector. */
const LENGTH = 4;
/** Sentences read at a time: those of nearly any passage. */
const READ = 64;

/**
 * The bytes of a `sentences.bin`.
 * @param vectors per passage, the quantized vectors of its sentences, all of the same length
 */
export function writeSentences(vectors: readonly Int8Array[][]): Uint8Array {
  const firsts = new Uint32Array(vectors.length + 1);
  vectors.forEach((sentences, passage) => {
    firsts[passage + 1] = firsts[passage]! + sentences.length;
  });
  const rows = vectors.flatMap((sentences) =>
    sentences.flatMap((row) => {
      const length = Buffer.alloc(LENGTH);
      length.writeFloatLE(Math.hypot(...row));
      return [new Uint8Array(row.buffer), length];
    }),
  );
  return writeSections(SENTENCES, [new Uint8Array(firsts.buffer), Buffer.concat(rows)]);
}

/** A vector in 8 bits a number, scaled so that its largest becomes 127; cosines do not need the scale. */
export function quantized(vector: Float32Array): Int8Array {
  const most = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return Int8Array.from(vector, (value) => Math.round((value / most) * 127));
}

/** An open `sentences.bin`. */
export class SentenceVectors {
  readonly #file: SectionsFile;
  readonly #firsts: Buffer;
  readonly #dimensions: number;
  readonly #products: DotProducts;

  constructor(path: string, dimensions: number) {
    this.#file = new SectionsFile(path, SENTENCES);
    this.#firsts = this.#file.read(0, 0, this.#file.length(0));
    this.#dimensions = dimensions;
    this.#products = new DotProducts(READ * (dimensions + LENGTH), dimensions);
  }

  /**
   * The sentence of any passage with the highest cosine to a vector of length 1: its number within the passage, and the cosine;
   * until another vector is asked for.
   */
  best(query: Float32Array): (passage: number) => { sentence: number; cosine: number } {
    const product = this.#products.with(query);
    const { bytes } = this.#products;
    const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = this.#dimensions + LENGTH;
    return (passage) => {
      const first = this.#firsts.readUInt32LE(passage * 4);
      const end = this.#firsts.readUInt32LE(passage * 4 + 4);
      let best = { sentence: 0, cosine: -1 };
      for (let start = first; start < end; start += READ) {
        const count = Math.min(READ, end - start);
        this.#file.fill(bytes.subarray(0, count * size), 1, start * size);
        for (let i = 0; i < count; i++) {
          const cosine = product(i * size) / lengths.getFloat32(i * size + this.#dimensions, true);
          if (cosine > best.cosine) best = { sentence: start + i - first, cosine };
        }
      }
      return best;
    };
  }

  close(): void {
    this.#file.close();
  }
}
