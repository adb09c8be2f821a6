import { type Format, writeSections } from './container.ts';
import { SectionsFile } from './container-file.ts';

/** `languages.bin`: what is typical of each language's passages. FORMAT.md beside this file has its layout. */
export const LANGUAGES: Format = { magic: 'PSLA', version: 1, sections: 2 };

/** How many passages the model's own mean counts as: what a few passages have in common is their topic rather than their language. */
export const PRIOR = 16;

/**
 * The bytes of a `languages.bin`.
 * @param languages of each passage
 * @param vectors of each passage
 * @param sentences of each passage, quantized
 * @param mean of the model's vectors in any language; undefined where it was not learned
 */
export function writeLanguages(
  languages: readonly string[],
  vectors: readonly Float32Array[],
  sentences: readonly Int8Array[][],
  mean: readonly number[] | undefined,
): Uint8Array {
  const names = [...new Set(languages)];
  const dimensions = vectors[0]!.length;
  const whole = new Float32Array(dimensions);
  const typical = names.map((name) => {
    const own = languages.flatMap((language, ordinal) => (language === name ? [ordinal] : []));
    const passages = own.map((ordinal) => vectors[ordinal]!);
    const parts = own.flatMap((ordinal) => sentences[ordinal]!);
    const [ofPassages, ofSentences] = [meanOf(passages, dimensions), meanOf(parts, dimensions)];
    const share = own.length / (own.length + PRIOR);
    return Float32Array.from(ofPassages, (value, i) => {
      const sum = share * (value + ofSentences[i]!) + (1 - share) * 2 * (mean?.[i] ?? 0);
      whole[i]! += (sum * own.length) / languages.length;
      return sum;
    });
  });
  const numbers = Uint16Array.from(languages, (language) => names.indexOf(language));
  const rows = [whole, ...typical].map((row) => new Uint8Array(row.buffer));
  return writeSections(LANGUAGES, [new Uint8Array(numbers.buffer), Buffer.concat(rows)]);
}

/** The mean of vectors, each scaled to length 1. */
function meanOf(vectors: readonly (Float32Array | Int8Array)[], dimensions: number): Float64Array {
  const sum = new Float64Array(dimensions);
  for (const vector of vectors) {
    const length = Math.hypot(...vector);
    for (let i = 0; i < dimensions; i++) sum[i]! += vector[i]! / length / vectors.length;
  }
  return sum;
}

/** What passages get from a question because of what they are about in general and of their language. */
export interface Typicality {
  /** Any passage of the index. */
  index: number;
  /** Any passage in the language of this one. */
  ofLanguage: (ordinal: number) => number;
}

/** An open `languages.bin`. */
export class Languages {
  readonly #numbers: Uint16Array;
  readonly #typical: Float32Array;
  readonly #dimensions: number;

  constructor(path: string, dimensions: number) {
    const file = new SectionsFile(path, LANGUAGES);
    const [numbers, typical] = [0, 1].map((section) => file.read(section, 0, file.length(section)));
    file.close();
    this.#numbers = new Uint16Array(numbers!.buffer, numbers!.byteOffset, numbers!.length / 2);
    this.#typical = new Float32Array(typical!.buffer, typical!.byteOffset, typical!.length / 4);
    this.#dimensions = dimensions;
  }

  /** How near a question is to what is typical: the sum of the cosines to a typical passage and to a typical sentence. */
  typicality(question: Float32Array): Typicality {
    const known = new Map<number, number>();
    const compare = (row: number): number => {
      let sum = known.get(row) ?? 0;
      if (known.has(row)) return sum;
      for (let i = 0, at = row * this.#dimensions; i < this.#dimensions; i++, at++) {
        sum += question[i]! * this.#typical[at]!;
      }
      known.set(row, sum);
      return sum;
    };
    return { index: compare(0), ofLanguage: (ordinal) => compare(this.#numbers[ordinal]! + 1) };
  }
}
