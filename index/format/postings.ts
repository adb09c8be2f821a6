import { termsOf } from '../text/terms.ts';
import { Spool } from './container-file.ts';
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

  constructor(path: string) {
    this.#terms = new InvertedFile(path);
  }

  get size(): number {
    return this.#terms.size;
  }

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

  remove(): void {
    this.#terms.remove();
  }
}

/** Entries collected at once, 8 bytes each. More entries need more passes over the temporary file. */
const MOST_ENTRIES = 4 << 20;

/** The ordinals that a key occurs in, ascending, and how often. Valid until the next one. */
interface InvertedList {
  key: string;
  ordinals: Uint32Array;
  counts: Uint32Array;
}

/** Collects the ordinals of each key. Only the keys are in memory. */
export class InvertedFile {
  /** For each ordinal: the ordinal, its number of keys, and for each key its number and count (all u32). */
  readonly #log: Spool;
  readonly #numbers = new Map<string, number>();
  /** Of each key, by its number. */
  readonly #frequencies: number[] = [];

  readonly #mostEntries: number;

  /** @param mostEntries that are in memory at once, unless a key has more */
  constructor(path: string, mostEntries = MOST_ENTRIES) {
    this.#log = new Spool(path);
    this.#mostEntries = mostEntries;
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** Adds the keys of an ordinal, each once. Ordinals ascend. */
  add(ordinal: number, keys: ReadonlyMap<string, number>): void {
    const entry = new Uint32Array(2 + 2 * keys.size);
    entry[0] = ordinal;
    entry[1] = keys.size;
    let at = 2;
    for (const [key, count] of keys) {
      const number = this.#numberOf(key);
      this.#frequencies[number]!++;
      entry[at++] = number;
      entry[at++] = count;
    }
    this.#log.append(new Uint8Array(entry.buffer));
  }

  /** The list of each key, in order of first use. */
  *lists(): Generator<InvertedList> {
    const keys = this.#numbers.keys();
    for (let first = 0; first < this.size; ) {
      let end = first;
      let total = 0;
      do total += this.#frequencies[end++]!;
      while (end < this.size && total + this.#frequencies[end]! <= this.#mostEntries);
      yield* this.#range(first, end, total, keys);
      first = end;
    }
  }

  remove(): void {
    this.#log.remove();
  }

  *#range(first: number, end: number, total: number, keys: Iterator<string>): Generator<InvertedList> {
    const [ordinals, counts] = [new Uint32Array(total), new Uint32Array(total)];
    const next = new Uint32Array(end - first);
    for (let i = 1; i < next.length; i++) next[i] = next[i - 1]! + this.#frequencies[first + i - 1]!;
    let [ordinal, left] = [0, 0];
    for (const piece of this.#log.pieces(8)) {
      const numbers = new Uint32Array(piece.buffer, piece.byteOffset, piece.length / 4);
      for (let i = 0; i < numbers.length; i += 2) {
        const number = numbers[i]!;
        const count = numbers[i + 1]!;
        if (left === 0) {
          ordinal = number;
          left = count;
          continue;
        }
        left--;
        if (number < first || number >= end) continue;
        const at = next[number - first]!++;
        ordinals[at] = ordinal;
        counts[at] = count;
      }
    }
    for (let number = first, start = 0; number < end; number++) {
      const stop = next[number - first]!;
      yield {
        key: keys.next().value as string,
        ordinals: ordinals.subarray(start, stop),
        counts: counts.subarray(start, stop),
      };
      start = stop;
    }
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    // A part of a string keeps the whole string in memory.
    this.#numbers.set(Buffer.from(key, 'utf16le').toString('utf16le'), number);
    this.#frequencies.push(0);
    return number;
  }
}
