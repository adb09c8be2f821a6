import { type Format, writeSections } from './container.ts';
import { ContainerFile } from './container-file.ts';
import { damaged } from './damaged.ts';

/** `languages.bin`: the typical vector of each language. FORMAT.md describes its layout. */
export const LANGUAGES: Format = { magic: 'PSLA', version: 1, sections: 2 };

/** The model's own mean counts as this many passages: a few passages share a topic rather than a language. */
export const PRIOR = 16;

/**
 * The bytes of a `languages.bin`.
 * @param languages of each passage
 * @param vectors of each passage
 * @param sentences of each passage, quantized
 * @param mean of the model's vectors in all languages; undefined if it was not learned
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

/** The similarity of a question to typical passages: the part of a score that any passage would get. */
export interface Typicality {
  /** To a typical passage of the index. */
  index: number;
  /** To a typical passage in the language of this one. */
  ofLanguage: (ordinal: number) => number;
}

/** An open `languages.bin`. */
export class Languages {
  readonly #numbers: Uint16Array;
  readonly #typical: Float32Array;
  readonly #dimensions: number;
  readonly #path: string;

  /**
   * @param dimensions numbers in a vector
   * @param passages of the index
   * @throws if the file is damaged or has another format
   */
  constructor(path: string, dimensions: number, passages: number) {
    const file = new ContainerFile(path, LANGUAGES);
    const [numbers, typical] = [file.read(0, 0, file.length(0)), file.read(1, 0, file.length(1))];
    file.close();
    const row = 4 * dimensions;
    if (numbers.length !== 2 * passages || typical.length === 0 || typical.length % row !== 0) {
      throw damaged(
        path,
        `its sections have ${numbers.length} and ${typical.length} bytes, but ${passages} passages need ${2 * passages} and a multiple of ${row}`,
      );
    }
    this.#numbers = new Uint16Array(numbers.buffer, numbers.byteOffset, passages);
    this.#typical = new Float32Array(typical.buffer, typical.byteOffset, typical.length / 4);
    this.#dimensions = dimensions;
    this.#path = path;
  }

  /** The number of a passage's language. */
  languageOf(ordinal: number): number {
    return this.#numbers[ordinal]!;
  }

  /** The similarity of a question to typical passages: the sum of the cosines to a typical passage and a typical sentence. */
  typicality(question: Float32Array): Typicality {
    const known = new Map<number, number>();
    const compare = (row: number): number => {
      let sum = known.get(row) ?? 0;
      if (known.has(row)) return sum;
      if (row * this.#dimensions >= this.#typical.length) throw damaged(this.#path, `it has no row ${row}`);
      for (let i = 0, at = row * this.#dimensions; i < this.#dimensions; i++, at++) {
        sum += question[i]! * this.#typical[at]!;
      }
      known.set(row, sum);
      return sum;
    };
    return { index: compare(0), ofLanguage: (ordinal) => compare(this.#numbers[ordinal]! + 1) };
  }
}
