import { parseJson } from '../kit/json.ts';
import type { FileChecks } from './checks.ts';
import type { Format } from './container.ts';
import { ContainerFile, ContainerWriter } from './container-file.ts';
import { isPassage, type Passage } from './passage.ts';
import { isWhole } from './shapes.ts';

/** `passages.bin`: the passages as JSON. FORMAT.md describes its layout. */
export const PASSAGES: Format = { magic: 'PSPA', version: 1, sections: 2 };

/** Writes a `passages.bin`, record by record. Passages of a document are consecutive, in reading order. */
export function passagesWriter(path: string, passages: number) {
  const ends = new Float64Array(passages + 1);
  const file = new ContainerWriter(path, PASSAGES, [ends.byteLength]);
  let count = 0;
  return {
    /** Adds the passage of the next ordinal. */
    add(record: Uint8Array, group?: number): void {
      const rest = Buffer.from(group === undefined ? '}' : `,"group":${group}}`);
      file.append(record.subarray(0, -1));
      file.append(rest);
      ends[count + 1] = ends[count]! + record.length - 1 + rest.length;
      count++;
    },
    finish: () => file.finish([ends]),
  };
}

/** An open `passages.bin`. Each passage is read when it is needed. */
export class Passages {
  readonly #file: ContainerFile;
  readonly count: number;

  /** @throws if the file is damaged or has another format */
  constructor(path: string, checks?: FileChecks) {
    this.#file = new ContainerFile(path, PASSAGES, checks);
    this.count = this.#file.length(0) / 8 - 1;
    const fits = this.count >= 0 && Number.isInteger(this.count);
    this.#file.require(fits, `its table of passages has ${this.#file.length(0)} bytes`);
  }

  /**
   * Reads a passage.
   * @throws if its place or its record is damaged
   */
  get(ordinal: number): Passage {
    const place = this.#file.read(0, ordinal * 8, 16);
    const [start, end] = [place.readDoubleLE(0), place.readDoubleLE(8)];
    const length = this.#file.length(1);
    if (!isWhole(0, length)(start) || !isWhole(start, length)(end))
      throw this.#file.damaged(`passage ${ordinal} is at bytes ${start} to ${end} of ${length}`);
    const passage = parseJson(this.#file.read(1, start, end - start));
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
