import { createHash } from 'node:crypto';

/**
 * Returns a function that returns the id of each text of a source: 12 hexadecimal digits of the SHA-256 of the source, the text and
 * the number of equal earlier texts. A text keeps its id when others are added or removed. With a million texts, the chance that
 * any two share an id is 1 in 560.
 */
export function contentIds(source: string): (text: string) => string {
  const seen = new Occurrences();
  return (text) => sha256(`${source}\0${text}\0${seen.add(sha256(text))}`).toString('hex', 0, 6);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Counts how often each digest was added: a hash table in 12 bytes a digest, since a file may have millions of texts. */
class Occurrences {
  /** The first 8 bytes of digests, at the place they tell or the next free one. */
  #keys = new BigUint64Array(64);
  /** 0 for free places. */
  #counts = new Uint32Array(64);
  #size = 0;

  /** Adds a digest, and returns how often it was added before. */
  add(digest: Buffer): number {
    if (this.#size * 2 >= this.#keys.length) this.#grow();
    const key = digest.readBigUInt64LE();
    const at = this.#find(key);
    if (this.#counts[at] === 0) this.#size++;
    this.#keys[at] = key;
    return this.#counts[at]!++;
  }

  #find(key: bigint): number {
    const mask = this.#keys.length - 1;
    let at = Number(key & BigInt(mask));
    while (this.#counts[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = new BigUint64Array(2 * keys.length);
    this.#counts = new Uint32Array(2 * keys.length);
    for (const [i, key] of keys.entries()) {
      if (counts[i] === 0) continue;
      const at = this.#find(key);
      this.#keys[at] = key;
      this.#counts[at] = counts[i]!;
    }
  }
}
