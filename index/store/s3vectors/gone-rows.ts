/** The rows of a segment that are not part of a generation. */
export class GoneRows {
  readonly #rows: Uint32Array;

  /** @param rows ascending */
  constructor(rows: Uint32Array) {
    this.#rows = rows;
  }

  has(row: number): boolean {
    const rows = this.#rows;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return rows[low] === row;
  }

  /**
   * Copies a list without the rows that are gone.
   * @param rows ascending
   * @param offset to add to each number
   * @param rest a byte for each row, or none
   */
  remove(rows: Uint32Array, offset: number, rest: Uint8Array): { ordinals: Uint32Array; rest: Uint8Array } {
    const ordinals = new Uint32Array(rows.length);
    const bytes = new Uint8Array(rest.length);
    let [kept, gone] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      while (gone < this.#rows.length && this.#rows[gone]! < row) gone++;
      if (this.#rows[gone] === row) continue;
      if (rest.length > 0) bytes[kept] = rest[i]!;
      ordinals[kept++] = row + offset;
    }
    return { ordinals: ordinals.subarray(0, kept), rest: bytes.subarray(0, Math.min(kept, rest.length)) };
  }
}
