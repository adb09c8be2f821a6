/** A least-recently-used cache. */
export class Cache<Value> {
  readonly #values = new Map<string, Value>();
  readonly #max: number;

  /** @param max values kept at once */
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    // A map lists its keys in the order of insertion, so the least recently used one is first.
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#max) this.#values.delete(this.#values.keys().next().value!);
  }
}
