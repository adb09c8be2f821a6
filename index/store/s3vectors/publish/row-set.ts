import type { Segment } from '../generation.ts';

/** Rows of segments: for each segment's id a byte for each row, 1 if the row is in the set. */
export class RowSet {
  readonly #rows = new Map<string, Uint8Array>();

  /** The ids of all segments. */
  get segments(): string[] {
    return [...this.#rows.keys()];
  }

  /** Adds the rows of a segment that are not gone. */
  add({ id, rows }: Pick<Segment, 'id' | 'rows'>, gone: Uint32Array): void {
    const set = this.#rows.get(id) ?? new Uint8Array(rows);
    let next = 0;
    for (let row = 0; row < rows; row++) {
      if (gone[next] === row) next++;
      else set[row] = 1;
    }
    this.#rows.set(id, set);
  }

  /** Adds the rows of another set. */
  addAll(other: RowSet): void {
    for (const [id, rows] of other.#rows) {
      const set = this.#rows.get(id) ?? new Uint8Array(rows.length);
      rows.forEach((value, row) => {
        if (value) set[row] = 1;
      });
      this.#rows.set(id, set);
    }
  }

  has(segment: string, row: number): boolean {
    return this.#rows.get(segment)?.[row] === 1;
  }

  /** The rows of a segment, ascending. */
  *rowsOf(segment: string): Generator<number> {
    for (const [row, value] of (this.#rows.get(segment) ?? new Uint8Array(0)).entries()) if (value) yield row;
  }
}

export function union(sets: readonly RowSet[]): RowSet {
  const all = new RowSet();
  for (const set of sets) all.addAll(set);
  return all;
}
