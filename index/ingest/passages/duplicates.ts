import { createHash } from 'node:crypto';
import { HashTable, hash48, Numbers } from '../../format/compact.ts';

/** UTF-16 code units per shingle, without spaces: about a word, in any script. */
const SHINGLE = 5;
/** Texts are nearly the same from this Jaccard similarity of their shingles. */
const SIMILAR = 0.9;
/** Pairs at SIMILAR share a band with a probability of .998, pairs at half of it with .05. */
const BANDS = 8;
const ROWS = 6;
/** Equal minima, as a share, from which a pair is verified. It estimates the similarity with a standard deviation of .04. */
const ESTIMATE = 0.75;
/** Texts of a band that one text is compared with, and that it is verified with: they bound the time for any texts. */
const MOST_COMPARED = 32;
const MOST_VERIFIED = 4;

/** A number with its sign and inner marks: 1.5 and 15 differ. */
const NUMBER = /[-+\u2212]?\p{N}+(?:[.,:/-]\p{N}+)*/gu;
const IGNORED = /[^\p{L}\p{M}\p{N}\p{S}]+/gu;

/** A text's numbers, and its letters, digits and symbols in lower case without anything between them. */
interface Content {
  numbers: string;
  letters: string;
}

const NONE = 0xffffffff;

/**
 * Finds texts that are the same or nearly the same. Exact ones differ in white space, punctuation and case only. Near ones contain the
 * same numbers in the same order, and the sets of their shingles have a Jaccard similarity of at least .9 to those of the group's first
 * text. Candidates come from MinHash (Broder 1997, On the Resemblance and Containment of Documents) with one permutation (Li, Owen and
 * Zhang 2012), densified (Shrivastava and Li 2014). Deterministic; takes linear time. A text takes about 500 bytes of memory.
 */
export class DuplicateFinder {
  readonly #textOf: (ordinal: number) => string;
  /** The first text with each content, by a hash of the content. */
  readonly #exact = new HashTable();
  /** More bits of each content's hash, so that no two contents are confused. */
  readonly #checks = new Numbers();
  /** The first text of each text's group. NONE for a text without letters. */
  readonly #leaders = new Numbers();
  /** The minima of each leader: its place in this list, by ordinal. */
  readonly #places = new Numbers();
  readonly #minima = new Numbers();
  /** For each band of a leader the newest entry of its list: the leader, the entry before it (or NONE), and the list's length. */
  readonly #bands = new HashTable();
  readonly #entries = new Numbers();

  /** @param textOf returns an earlier text again, by its place in the list */
  constructor(textOf: (ordinal: number) => string) {
    this.#textOf = textOf;
  }

  add(text: string): void {
    const ordinal = this.#leaders.length;
    const content = contentOf(text);
    if (content.letters === '') {
      this.#push(ordinal, NONE, 0);
      return;
    }
    const digest = createHash('sha256').update(`${content.numbers}\n${content.letters}`).digest();
    const [hash, check] = [hash48(digest), digest.readUInt32BE(6)];
    const same = this.#exact.get(hash);
    if (same !== undefined && this.#checks.get(same) === check) {
      this.#push(ordinal, this.#leaders.get(same), check);
      return;
    }
    this.#exact.set(hash, ordinal);
    const minima = minimaOf(content.letters);
    const bands = bandHashes(content.numbers, minima);
    const near = this.#findNear(content, minima, bands);
    this.#push(ordinal, near ?? ordinal, check);
    if (near === undefined) this.#lead(ordinal, minima, bands);
  }

  /** Groups of at least two texts by their places in the list, ascending. */
  groups(): number[][] {
    const groups = new Map<number, number[]>();
    for (let ordinal = 0; ordinal < this.#leaders.length; ordinal++) {
      const leader = this.#leaders.get(ordinal);
      if (leader === NONE || leader === ordinal) continue;
      const group = groups.get(leader) ?? [leader];
      group.push(ordinal);
      groups.set(leader, group);
    }
    return [...groups.values()].sort((a, b) => a[0]! - b[0]!);
  }

  #push(ordinal: number, leader: number, check: number): void {
    this.#leaders.push(leader);
    this.#checks.push(check);
    this.#places.push(leader === ordinal ? this.#minima.length : NONE);
  }

  #lead(ordinal: number, minima: Uint32Array, bands: readonly number[]): void {
    for (const value of minima) this.#minima.push(value);
    for (const band of bands) {
      const newest = this.#bands.get(band);
      const length = newest === undefined ? 0 : this.#entries.get(newest + 2);
      if (length === MOST_COMPARED) continue;
      this.#bands.set(band, this.#entries.length);
      this.#entries.push(ordinal);
      this.#entries.push(newest ?? NONE);
      this.#entries.push(length + 1);
    }
  }

  /** The first leader that is similar enough. */
  #findNear(
    { numbers, letters }: Content,
    minima: Uint32Array,
    bands: readonly number[],
  ): number | undefined {
    const candidates = [...new Set(bands.flatMap((band) => this.#leadersIn(band)))].filter(
      (leader) => this.#equalShare(minima, leader) >= ESTIMATE,
    );
    if (candidates.length === 0) return undefined;
    const own = shingleHashes(letters).sort();
    return candidates.slice(0, MOST_VERIFIED).find((leader) => {
      const other = contentOf(this.#textOf(leader));
      return other.numbers === numbers && jaccard(own, shingleHashes(other.letters).sort()) >= SIMILAR;
    });
  }

  #leadersIn(band: number): number[] {
    const leaders: number[] = [];
    for (let at = this.#bands.get(band) ?? NONE; at !== NONE; at = this.#entries.get(at + 1))
      leaders.push(this.#entries.get(at));
    return leaders.reverse();
  }

  #equalShare(minima: Uint32Array, leader: number): number {
    const first = this.#places.get(leader);
    let equal = 0;
    for (let i = 0; i < minima.length; i++) if (minima[i] === this.#minima.get(first + i)) equal++;
    return equal / minima.length;
  }
}

function contentOf(text: string): Content {
  const normalized = text.normalize('NFKC').toLowerCase();
  return {
    numbers: (normalized.match(NUMBER) ?? []).join(' '),
    letters: normalized.replace(IGNORED, ''),
  };
}

/** The Jaccard similarity of the sets of values in two ascending lists. */
function jaccard(a: Uint32Array, b: Uint32Array): number {
  let [common, all] = [0, 0];
  for (let i = 0, j = 0; i < a.length || j < b.length; all++) {
    const least = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    if (a[i] === b[j]) common++;
    while (a[i] === least) i++;
    while (b[j] === least) j++;
  }
  return common / all;
}

/** The least shingle hash in each of BANDS x ROWS equal ranges. An empty range takes the value of the next one that is not. */
function minimaOf(letters: string): Uint32Array {
  const count = BANDS * ROWS;
  const least = new Uint32Array(count).fill(0xffffffff);
  for (const hash of shingleHashes(letters)) {
    const range = hash % count;
    if (hash < least[range]!) least[range] = hash;
  }
  return least.map((value, range) => {
    let distance = 0;
    while (least[(range + distance) % count] === 0xffffffff) distance++;
    return distance === 0 ? value : least[(range + distance) % count]! + distance * 0x9e3779b1;
  });
}

/** A 48-bit hash for each band. It contains the numbers, so texts that differ in numbers only hardly ever meet. */
function bandHashes(numbers: string, minima: Uint32Array): number[] {
  const [high, low] = [fnv(numbers, FNV_START), fnv(numbers, 0x9747b28c)];
  return Array.from({ length: BANDS }, (_, band) => {
    let [a, b] = [mixed(high ^ band), mixed(low ^ band)];
    for (const value of minima.subarray(band * ROWS, (band + 1) * ROWS)) {
      a = mixed(a ^ value);
      b = mixed(Math.imul(b, 0x01000193) ^ value);
    }
    return (a & 0xffff) * 2 ** 32 + b;
  });
}

const FNV_START = 0x811c9dc5;

/** FNV-1a (RFC 9923) over the code units `[from, to)`. */
function fnv(text: string, start: number, from = 0, to = text.length): number {
  let hash = start;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The last step of MurmurHash3. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A 32-bit hash of each shingle, below the largest value, which marks an empty range. */
function shingleHashes(letters: string): Uint32Array {
  const shingles = Math.max(1, letters.length - SHINGLE + 1);
  return new Uint32Array(shingles).map((_, start) => {
    const hash = fnv(letters, FNV_START, start, Math.min(start + SHINGLE, letters.length));
    return Math.min(mixed(hash), 0xfffffffe);
  });
}
