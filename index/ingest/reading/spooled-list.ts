import { Spool } from '../../format/container-file.ts';

/** A list of JSON values in a temporary file, for lists that need not fit in memory. */
export class SpooledList<Value> {
  readonly #file: Spool;
  readonly #ends: number[] = [];

  constructor(path: string) {
    this.#file = new Spool(path);
  }

  get length(): number {
    return this.#ends.length;
  }

  get bytes(): number {
    return this.#file.length;
  }

  /** Removes the last values, so that this many are left. */
  drop(length: number): void {
    this.#file.truncate(this.#ends[length - 1] ?? 0);
    this.#ends.length = length;
  }

  /** @throws if the disk is full */
  add(json: Uint8Array): void {
    this.#file.append(json);
    this.#ends.push(this.#file.length);
  }

  get(i: number): Value {
    return JSON.parse(this.#json(i).toString());
  }

  *records(): Generator<Buffer> {
    for (let i = 0; i < this.length; i++) yield this.#json(i);
  }

  *values(): Generator<Value> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  close(): void {
    this.#file.remove();
  }

  #json(i: number): Buffer {
    const start = this.#ends[i - 1] ?? 0;
    return this.#file.read(start, this.#ends[i]! - start);
  }
}
