/** The last values that were asked for, by their keys: the one that was not asked for longest goes first. */
export class Cache<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  /** @param most values that are kept at a time */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    // A map lists its keys in the order in which they were set.
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value!);
  }
}
