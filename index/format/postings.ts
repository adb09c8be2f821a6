import { termsOf } from '../text/terms.ts';
import { InvertedFile } from './inverted-file.ts';
import { KEYS } from './lookup-file.ts';
import { writeList } from './varint.ts';

/** BM25's usual constants (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework). */
const K1 = 1.2;
const B = 0.75;
/** The most that one term can add to a score, before its idf. */
export const MOST = K1 + 1;

/** The postings of all terms, collected passage by passage. */
export class Postings {
  readonly #terms: InvertedFile;
  readonly #lengths: number[] = [];

  /** @param path of a temporary file */
  constructor(path: string) {
    this.#terms = new InvertedFile(path);
  }

  /** How many terms there are. */
  get size(): number {
    return this.#terms.size;
  }

  /** Adds the text of the next passage. */
  add(text: string): void {
    const counts = new Map<string, number>();
    let length = 0;
    for (const term of termsOf(text)) {
      counts.set(term, (counts.get(term) ?? 0) + 1);
      length++;
    }
    this.#terms.add(this.#lengths.length, counts);
    this.#lengths.push(length);
  }

  /**
   * The records of `lookup.bin`. Each is the passages' ordinals (a list), then a byte for each: the term's score in 255ths of the most
   * that it can add. So the byte combines the passage's length with the term's frequency.
   */
  *records(): Generator<[key: string, data: Uint8Array]> {
    const lengths = this.#lengths;
    const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
    for (const { key, ordinals, counts } of this.#terms.lists()) {
      const impacts = new Uint8Array(ordinals.length);
      for (let i = 0; i < ordinals.length; i++) {
        const [count, length] = [counts[i]!, lengths[ordinals[i]!]!];
        const share = count / (count + K1 * (1 - B + (B * length) / mean));
        impacts[i] = Math.max(1, Math.round(share * 255));
      }
      yield [KEYS.term + key, Buffer.concat([writeList(ordinals), impacts])];
    }
  }

  /** Removes the temporary file. */
  remove(): void {
    this.#terms.remove();
  }
}
