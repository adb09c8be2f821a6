import type { FileChecks } from './checks.ts';
import { bytesOf, type Format } from './container.ts';
import { ContainerFile, ContainerWriter } from './container-file.ts';
import { DotProducts, lengthOf } from './vectors.ts';

/** `sentences.bin`: a vector for each sentence of each passage. FORMAT.md describes its layout. */
export const SENTENCES: Format = { magic: 'PSSE', version: 1, sections: 2 };

/** Bytes of a vector's norm (f32), which follows the vector. */
const NORM = 4;
/** Sentences read at once. Few passages have more. */
const BATCH = 64;

/** Writes a `sentences.bin`, passage by passage. */
export function sentencesWriter(path: string, passages: number) {
  const firsts = new Uint32Array(passages + 1);
  const file = new ContainerWriter(path, SENTENCES, [firsts.byteLength]);
  let count = 0;
  return {
    /** Adds the quantized vectors of the next passage's sentences, all with the same dimensions. */
    add(vectors: readonly Int8Array[]): void {
      firsts[count + 1] = firsts[count]! + vectors.length;
      count++;
      for (const row of vectors) {
        file.append(bytesOf(row));
        file.append(bytesOf(Float32Array.of(lengthOf(row))));
      }
    },
    finish: () => file.finish([firsts]),
  };
}

/** Rounds a vector to 8 bits a number, scaled so that its largest number becomes 127 or -127. Cosines do not need the scale. */
export function quantized(vector: Float32Array): Int8Array {
  const max = vector.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return Int8Array.from(vector, (value) => Math.round((value / max) * 127));
}

/** Returns the best sentence of a passage by its number, and its cosine with the query. */
export type BestSentence = (vectors: PassageSentences) => { sentence: number; cosine: number };

/**
 * Returns a function from a query, a vector of length 1 or a weighted mean of such vectors, to the comparison of a passage's sentences
 * with it. Their vectors are written as in section 1 of a `sentences.bin`.
 */
export function sentenceComparer(dimensions: number): (query: Float32Array) => BestSentence {
  const size = dimensions + NORM;
  const products = new DotProducts(BATCH * size, dimensions);
  const { bytes } = products;
  const norms = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const maxNorm = 128 * Math.sqrt(dimensions);
  return (query) => {
    const product = products.prepare(query);
    return ({ count: all, fill, damaged }) => {
      let best = { sentence: 0, cosine: -1 };
      for (let first = 0; first < all; first += BATCH) {
        const count = Math.min(BATCH, all - first);
        fill(bytes.subarray(0, count * size), first * size);
        for (let i = 0; i < count; i++) {
          const norm = norms.getFloat32(i * size + dimensions, true);
          if (!(norm >= 0 && norm <= maxNorm)) throw damaged(first + i, norm);
          const cosine = product(i * size) / norm;
          if (cosine > best.cosine) best = { sentence: first + i, cosine };
        }
      }
      return best;
    };
  };
}

export interface PassageSentences {
  count: number;
  fill: (bytes: Uint8Array, start: number) => void;
  damaged: (sentence: number, norm: number) => Error;
}

export class SentenceVectors {
  readonly #file: ContainerFile;
  /** For each passage the number of its first sentence, and at the end the number of all sentences. */
  readonly #firsts: Buffer;
  readonly #dimensions: number;
  readonly #comparer: (query: Float32Array) => BestSentence;

  /** @throws if the file is damaged or has another format. A damaged passage is only found by a search that uses it */
  constructor(path: string, dimensions: number, checks?: FileChecks) {
    this.#file = new ContainerFile(path, SENTENCES, checks);
    this.#firsts = this.#file.read(0, 0, this.#file.length(0));
    const sizes = [this.#firsts.length, this.#file.length(1)] as const;
    const fits =
      sizes[0] >= 8 &&
      sizes[0] % 4 === 0 &&
      this.#firsts.readUInt32LE(0) === 0 &&
      this.#firsts.readUInt32LE(sizes[0] - 4) * (dimensions + NORM) === sizes[1];
    const problem = `its sections of ${sizes.join(' and ')} bytes do not fit ${dimensions} dimensions`;
    this.#file.require(fits, problem);
    this.#dimensions = dimensions;
    this.#comparer = sentenceComparer(dimensions);
  }

  /**
   * Returns a function from a passage's ordinal to its sentence with the highest cosine to the query: the sentence's number within
   * the passage, and the cosine.
   * @param query a vector of length 1, or a weighted mean of such vectors
   */
  best(query: Float32Array): (passage: number) => { sentence: number; cosine: number } {
    const compare = this.#comparer(query);
    const size = this.#dimensions + NORM;
    return (passage) => {
      const [first, end] = this.#sentencesOf(passage);
      return compare({
        count: end - first,
        fill: (bytes, start) => this.#file.fill(bytes, 1, first * size + start),
        damaged: (sentence, norm) => this.#file.damaged(`sentence ${first + sentence} has the norm ${norm}`),
      });
    };
  }

  #sentencesOf(passage: number): [first: number, end: number] {
    const passages = this.#firsts.length / 4 - 1;
    if (!(passage < passages)) throw this.#file.damaged(`it has no passage ${passage} of ${passages}`);
    const first = this.#firsts.readUInt32LE(passage * 4);
    const end = this.#firsts.readUInt32LE(passage * 4 + 4);
    if (!(first <= end && end <= this.#firsts.readUInt32LE(passages * 4)))
      throw this.#file.damaged(`passage ${passage} has the sentences ${first} to ${end}`);
    return [first, end];
  }

  close(): void {
    this.#file.close();
  }
}
