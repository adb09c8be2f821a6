import type { Passage } from '../../format/passage.ts';
import { Spool } from '../../format/spool.ts';

/** The passages of a build as JSON in a temporary file. */
export class PassageSpool {
  readonly #file: Spool;
  /** The end of each passage's record. */
  readonly #ends: number[] = [];

  constructor(path: string) {
    this.#file = new Spool(path);
  }

  get count(): number {
    return this.#ends.length;
  }

  /** Bytes of all records. */
  get bytes(): number {
    return this.#file.length;
  }

  /** Adds the record of the next ordinal: a passage as JSON. */
  add(record: Uint8Array): void {
    this.#file.append(record);
    this.#ends.push(this.#file.length);
  }

  get(ordinal: number): Passage {
    return JSON.parse(this.#record(ordinal).toString()) as Passage;
  }

  /** The records, in order. */
  *records(): Generator<Buffer> {
    for (let ordinal = 0; ordinal < this.count; ordinal++) yield this.#record(ordinal);
  }

  remove(): void {
    this.#file.remove();
  }

  #record(ordinal: number): Buffer {
    const start = this.#ends[ordinal - 1] ?? 0;
    return this.#file.read(start, this.#ends[ordinal]! - start);
  }
}
