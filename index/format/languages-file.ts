import { readFileSync, writeFileSync } from 'node:fs';
import type { FileChecks } from './checks.ts';
import { bytesOf, copied, damaged, type Format, readSections, writeSections } from './container.ts';
import { lengthOf } from './vectors.ts';

/** `languages.bin`: the typical vector of each language. FORMAT.md describes its layout. */
export const LANGUAGES: Format = { magic: 'PSLA', version: 1, sections: 2 };

/** The model's own mean counts as this many passages: a few passages share a topic rather than a language. */
export const PRIOR = 16;

export interface LanguageCount {
  passages: number;
  sentences: number;
}

/**
 * Writes a `languages.bin` from vectors that are added one by one.
 * @param counts of all languages, in order of first appearance
 */
export function languagesWriter(
  path: string,
  counts: ReadonlyMap<string, LanguageCount>,
  dimensions: number,
) {
  /** Sums of the vectors in each language, each vector scaled to length 1 and divided by their number. */
  const languages = new Map(
    [...counts].map(([name, count], number) => {
      const [passages, sentences] = [new Float64Array(dimensions), new Float64Array(dimensions)];
      return [name, { number, count, passages, sentences }];
    }),
  );
  const numbers = new Uint16Array([...counts.values()].reduce((sum, { passages }) => sum + passages, 0));
  let added = 0;
  return {
    /** Adds the next passage: its language, its vector, and the vectors of its sentences. */
    add(language: string, vector: Float32Array, vectors: readonly Int8Array[]): void {
      const { number, count, passages, sentences } = languages.get(language)!;
      numbers[added++] = number;
      addScaled(passages, vector, count.passages);
      for (const sentence of vectors) addScaled(sentences, sentence, count.sentences);
    },
    /** @param mean of the model's vectors in all languages; undefined if it was not learned */
    finish(mean: readonly number[] | undefined): void {
      const whole = new Float32Array(dimensions);
      const typical = Array.from(languages.values(), ({ count, passages, sentences }) => {
        const share = count.passages / (count.passages + PRIOR);
        return Float32Array.from(passages, (value, i) => {
          const sum = share * (value + sentences[i]!) + (1 - share) * 2 * (mean?.[i] ?? 0);
          whole[i]! += (sum * count.passages) / numbers.length;
          return sum;
        });
      });
      const rows = Buffer.concat([whole, ...typical].map(bytesOf));
      writeFileSync(path, writeSections(LANGUAGES, [numbers, rows]));
    },
  };
}

/** Adds a vector, scaled to length 1 and divided by `count`. */
function addScaled(sum: Float64Array, vector: Float32Array | Int8Array, count: number): void {
  const length = lengthOf(vector);
  for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]! / length / count;
}

/** The similarity of a question to typical passages: the part of a score that any passage would get. */
export interface Typicality {
  /** To a typical passage of the index. */
  index: number;
  /** To a typical passage in the language with this number. */
  ofLanguage: (language: number) => number;
}

export class Languages {
  readonly #numbers: Uint16Array;
  readonly #typical: Float32Array;
  readonly #dimensions: number;
  readonly #path: string;

  /**
   * @param bytes of the file, if they were read already
   * @throws if the file is damaged or has another format
   */
  constructor(
    path: string,
    dimensions: number,
    passages: number,
    { bytes, checks }: { bytes?: Uint8Array; checks?: FileChecks } = {},
  ) {
    const file = bytes ?? readFileSync(path);
    checks?.checkAll(file);
    const [numbers, typical] = readSections(file, LANGUAGES, path) as [Uint8Array, Uint8Array];
    const row = 4 * dimensions;
    if (numbers.length !== 2 * passages || typical.length === 0 || typical.length % row !== 0) {
      throw damaged(
        path,
        `its sections have ${numbers.length} and ${typical.length} bytes, but ${passages} passages need ${2 * passages} and a multiple of ${row}`,
      );
    }
    this.#numbers = new Uint16Array(copied(numbers));
    this.#typical = new Float32Array(copied(typical));
    this.#dimensions = dimensions;
    this.#path = path;
  }

  get count(): number {
    return this.#typical.length / this.#dimensions - 1;
  }

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
    return { index: compare(0), ofLanguage: (language) => compare(language + 1) };
  }
}
