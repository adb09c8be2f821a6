import { type Format, writeSections } from './container.ts';
import { SectionsFile } from './container-file.ts';
import type { Passage } from './passage.ts';

/** `passages.bin`: the passages themselves, as JSON. FORMAT.md beside this file has its layout. */
export const PASSAGES: Format = { magic: 'PSPA', version: 1, sections: 2 };

/** The bytes of a `passages.bin`. A passage's place in the list is its ordinal; those of a document stand together and in order. */
export function writePassages(passages: readonly Passage[]): Uint8Array {
  const records = passages.map((passage) => Buffer.from(JSON.stringify(passage)));
  const ends = new Float64Array(records.length + 1);
  records.forEach((record, i) => {
    ends[i + 1] = ends[i]! + record.length;
  });
  return writeSections(PASSAGES, [new Uint8Array(ends.buffer), Buffer.concat(records)]);
}

/** An open `passages.bin`; a passage is read when it is asked for. */
export class Passages {
  readonly #file: SectionsFile;
  readonly count: number;

  constructor(path: string) {
    this.#file = new SectionsFile(path, PASSAGES);
    this.count = this.#file.length(0) / 8 - 1;
  }

  get(ordinal: number): Passage {
    const place = this.#file.read(0, ordinal * 8, 16);
    const [start, end] = [place.readDoubleLE(0), place.readDoubleLE(8)];
    return JSON.parse(this.#file.read(1, start, end - start).toString()) as Passage;
  }

  close(): void {
    this.#file.close();
  }
}
