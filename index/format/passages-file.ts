import { type Format, writeSections } from './container.ts';
import { ContainerFile } from './container-file.ts';
import { isPassage, type Passage } from './passage.ts';
import { isWhole } from './shapes.ts';

/** `passages.bin`: the passages as JSON. FORMAT.md describes its layout. */
export const PASSAGES: Format = { magic: 'PSPA', version: 1, sections: 2 };

/** The bytes of a `passages.bin`. A passage's place in the list is its ordinal. Passages of a document are consecutive, in reading order. */
export function writePassages(passages: readonly Passage[]): Uint8Array {
  const records = passages.map((passage) => Buffer.from(JSON.stringify(passage)));
  const ends = new Float64Array(records.length + 1);
  records.forEach((record, i) => {
    ends[i + 1] = ends[i]! + record.length;
  });
  return writeSections(PASSAGES, [new Uint8Array(ends.buffer), Buffer.concat(records)]);
}

/** An open `passages.bin`. Each passage is read when it is needed. */
export class Passages {
  readonly #file: ContainerFile;
  readonly count: number;

  /** @throws if the file is damaged or has another format */
  constructor(path: string) {
    this.#file = new ContainerFile(path, PASSAGES);
    this.count = this.#file.length(0) / 8 - 1;
    if (this.count < 0 || !Number.isInteger(this.count))
      throw this.#file.damaged(`its table of passages has ${this.#file.length(0)} bytes`);
  }

  /**
   * Reads a passage.
   * @param ordinal less than `count`
   * @throws if its place or its record is damaged
   */
  get(ordinal: number): Passage {
    const place = this.#file.read(0, ordinal * 8, 16);
    const [start, end] = [place.readDoubleLE(0), place.readDoubleLE(8)];
    const length = this.#file.length(1);
    if (!isWhole(0, length)(start) || !isWhole(start, length)(end))
      throw this.#file.damaged(`passage ${ordinal} is at bytes ${start} to ${end} of ${length}`);
    const passage = parse(this.#file.read(1, start, end - start));
    if (!isPassage(passage)) throw this.#file.damaged(`the record of passage ${ordinal} is invalid`);
    return passage as Passage;
  }

  /** The error for a passage that contradicts the format, or another file of the index. */
  damaged(problem: string): Error {
    return this.#file.damaged(problem);
  }

  close(): void {
    this.#file.close();
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
