import { writeFileSync } from 'node:fs';
import type { FileChecks } from './checks.ts';
import { damaged, type Format, readSections, writeSections } from './container.ts';
import { ContainerFile } from './container-file.ts';
import { lengthOf } from './vectors.ts';

/** `languages.bin`: the typical vector of each language. FORMAT.md describes its layout. */
export const LANGUAGES: Format = { magic: 'PSLA', version: 1, sections: 2 };

/** The model's own mean counts as this many passages: a few passages share a topic rather than a language. */
export const PRIOR = 16;

/** The passages of a language, and their sentences. */
export interface LanguageCount {
  passages: number;
  sentences: number;
}

/** Sums of the vectors in a language, each vector scaled to length 1 and divided by their number. */
interface Means {
  number: number;
  count: LanguageCount;
  passages: Float64Array;
  sentences: Float64Array;
}

/** Writes a `languages.bin` from vectors that are added one by one. */
export class LanguagesWriter {
  readonly #path: string;
  readonly #dimensions: number;
  readonly #means: Map<string, Means>;
  readonly #numbers: Uint16Array;
  #added = 0;

  /** @param counts of all languages, in order of first appearance */
  constructor(path: string, counts: ReadonlyMap<string, LanguageCount>, dimensions: number) {
    this.#path = path;
    this.#dimensions = dimensions;
    this.#means = new Map(
      [...counts].map(([name, count], number) => [
        name,
        {
          number,
          count,
          passages: new Float64Array(dimensions),
          sentences: new Float64Array(dimensions),
        },
      ]),
    );
    this.#numbers = new Uint16Array([...counts.values()].reduce((sum, { passages }) => sum + passages, 0));
  }

  /** Adds the next passage: its language, its vector, and the vectors of its sentences. */
  add(language: string, vector: Float32Array, sentences: readonly Int8Array[]): void {
    const means = this.#means.get(language)!;
    this.#numbers[this.#added++] = means.number;
    addScaled(means.passages, vector, means.count.passages);
    for (const sentence of sentences) addScaled(means.sentences, sentence, means.count.sentences);
  }

  /** @param mean of the model's vectors in all languages; undefined if it was not learned */
  finish(mean: readonly number[] | undefined): void {
    const whole = new Float32Array(this.#dimensions);
    const typical = Array.from(this.#means.values(), ({ count, passages, sentences }) => {
      const share = count.passages / (count.passages + PRIOR);
      return Float32Array.from(passages, (value, i) => {
        const sum = share * (value + sentences[i]!) + (1 - share) * 2 * (mean?.[i] ?? 0);
        whole[i]! += (sum * count.passages) / this.#numbers.length;
        return sum;
      });
    });
    const rows = [whole, ...typical].map((row) => new Uint8Array(row.buffer));
    writeFileSync(
      this.#path,
      writeSections(LANGUAGES, [new Uint8Array(this.#numbers.buffer), Buffer.concat(rows)]),
    );
  }
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

/** An open `languages.bin`. */
export class Languages {
  readonly #numbers: Uint16Array;
  readonly #typical: Float32Array;
  readonly #dimensions: number;
  readonly #path: string;

  /**
   * @param path of the file, or its name for errors
   * @param dimensions numbers in a vector
   * @param passages of the index
   * @param bytes of the file, if they were read already
   * @param checks of the file's blocks
   * @throws if the file is damaged or has another format
   */
  constructor(
    path: string,
    dimensions: number,
    passages: number,
    { bytes, checks }: { bytes?: Uint8Array; checks?: FileChecks } = {},
  ) {
    const [numbers, typical] = bytes ? readBytes(bytes, path) : readFile(path, checks);
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

  /** How many languages there are. */
  get count(): number {
    return this.#typical.length / this.#dimensions - 1;
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
    return { index: compare(0), ofLanguage: (language) => compare(language + 1) };
  }
}

/** The sections of a file. */
function readFile(path: string, checks?: FileChecks): [numbers: Buffer, typical: Buffer] {
  const file = new ContainerFile(path, LANGUAGES, checks);
  try {
    return [file.read(0, 0, file.length(0)), file.read(1, 0, file.length(1))];
  } finally {
    file.close();
  }
}

/** The sections of a file's bytes. */
function readBytes(bytes: Uint8Array, name: string): [numbers: Buffer, typical: Buffer] {
  const [numbers, typical] = readSections(bytes, LANGUAGES, name);
  return [aligned(numbers!), aligned(typical!)];
}

/** A copy whose memory starts at a multiple of 8, as numbers need it. */
function aligned(section: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(section.length);
  copy.set(section);
  return copy;
}
