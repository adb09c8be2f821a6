/** A binary min-heap of ordinals, ordered by their keys. */
export class Heap {
  readonly #keys: number[] = [];
  readonly #ordinals: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** The smallest key, or infinity if the heap is empty. */
  get minKey(): number {
    return this.#keys[0] ?? Number.POSITIVE_INFINITY;
  }

  push(key: number, ordinal: number): void {
    const keys = this.#keys;
    const ordinals = this.#ordinals;
    let at = keys.length;
    for (let parent = (at - 1) >> 1; at > 0 && keys[parent]! > key; parent = (at - 1) >> 1) {
      keys[at] = keys[parent]!;
      ordinals[at] = ordinals[parent]!;
      at = parent;
    }
    keys[at] = key;
    ordinals[at] = ordinal;
  }

  /** Removes and returns the ordinal with the smallest key. The heap must not be empty. */
  pop(): number {
    const keys = this.#keys;
    const ordinals = this.#ordinals;
    const top = ordinals[0]!;
    const key = keys.pop()!;
    const ordinal = ordinals.pop()!;
    const size = keys.length;
    if (size === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (child >= size || keys[child]! >= key) break;
      keys[at] = keys[child]!;
      ordinals[at] = ordinals[child]!;
      at = child;
    }
    keys[at] = key;
    ordinals[at] = ordinal;
    return top;
  }

  /** All entries, in no order. */
  entries(): { key: number; ordinal: number }[] {
    return this.#ordinals.map((ordinal, i) => ({ ordinal, key: this.#keys[i]! }));
  }
}
