/** Numbers of a growing list are in blocks of this many. */
const BLOCK = 1 << 16;

/** A growing list of 32-bit numbers. Growing copies nothing. */
export class Numbers {
  readonly #blocks: Uint32Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const place = this.#length++ % BLOCK;
    if (place === 0) this.#blocks.push(new Uint32Array(BLOCK));
    this.#blocks.at(-1)![place] = value;
  }

  /** @param i less than `length` */
  get(i: number): number {
    return this.#blocks[Math.floor(i / BLOCK)]![i % BLOCK]!;
  }
}
