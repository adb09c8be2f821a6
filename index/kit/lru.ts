/** A least-recently-used cache. */
export class Lru<Value> {
  readonly #values = new Map<string, { value: Value; size: number }>();
  readonly #max: number;
  #size = 0;

  /** @param max the sizes of all values together */
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Value | undefined {
    const entry = this.#values.get(key);
    if (entry === undefined) return undefined;
    // A map lists its keys in the order of insertion, so the least recently used one is first.
    this.#values.delete(key);
    this.#values.set(key, entry);
    return entry.value;
  }

  /** Adds or replaces a value. Removes the least recently used others until all fit; the newest always stays. */
  set(key: string, value: Value, size = 1): void {
    this.delete(key);
    this.#values.set(key, { value, size });
    this.#size += size;
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.#max || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#size -= this.#values.get(key)?.size ?? 0;
    this.#values.delete(key);
  }
}
