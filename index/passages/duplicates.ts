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

/** The first text of a group, and its minima. */
interface Leader {
  members: number[];
  content: Content;
  minima: Uint32Array;
}

/**
 * Finds texts that are the same or nearly the same. Exact ones differ in white space, punctuation and case only. Near ones contain the
 * same numbers in the same order, and the sets of their shingles have a Jaccard similarity of at least .9 to those of the group's first
 * text. Candidates come from MinHash (Broder 1997, On the Resemblance and Containment of Documents) with one permutation (Li, Owen and
 * Zhang 2012), densified (Shrivastava and Li 2014). Deterministic; takes linear time.
 * @returns groups of at least two texts by their places in the list, ascending
 */
export function findDuplicates(texts: readonly string[]): number[][] {
  const exact = new Map<string, Leader>();
  const bands = new Map<string, Leader[]>();
  texts.forEach((text, i) => {
    const content = contentOf(text);
    if (content.letters === '') return;
    const key = `${content.numbers}\n${content.letters}`;
    const same = exact.get(key);
    if (same) {
      same.members.push(i);
      return;
    }
    const minima = minimaOf(content.letters);
    const keys = bandKeys(content.numbers, minima);
    const near = findNear(
      content,
      minima,
      keys.map((one) => bands.get(one) ?? []),
    );
    exact.set(key, near ?? { members: [], content, minima });
    exact.get(key)!.members.push(i);
    if (near) return;
    for (const one of keys) {
      const list = bands.get(one);
      if (!list) bands.set(one, [exact.get(key)!]);
      else if (list.length < MOST_COMPARED) list.push(exact.get(key)!);
    }
  });
  return [...new Set(exact.values())].map(({ members }) => members).filter(({ length }) => length > 1);
}

function contentOf(text: string): Content {
  const normalized = text.normalize('NFKC').toLowerCase();
  return {
    numbers: (normalized.match(NUMBER) ?? []).join(' '),
    letters: normalized.replace(IGNORED, ''),
  };
}

/** The first leader that is similar enough. */
function findNear({ letters }: Content, minima: Uint32Array, found: readonly Leader[][]): Leader | undefined {
  const candidates = [...new Set(found.flat())].filter(
    (leader) => equalShare(minima, leader.minima) >= ESTIMATE,
  );
  if (candidates.length === 0) return undefined;
  const own = shingleHashes(letters).sort();
  return candidates
    .slice(0, MOST_VERIFIED)
    .find(({ content }) => jaccard(own, shingleHashes(content.letters).sort()) >= SIMILAR);
}

function equalShare(a: Uint32Array, b: Uint32Array): number {
  return a.reduce((count, value, i) => count + (value === b[i] ? 1 : 0), 0) / a.length;
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

/** A key for each band. It contains the numbers, so texts that differ in numbers only never meet. */
function bandKeys(numbers: string, minima: Uint32Array): string[] {
  return Array.from({ length: BANDS }, (_, band) =>
    [band, ...minima.subarray(band * ROWS, (band + 1) * ROWS), numbers].join(' '),
  );
}

/** A 32-bit hash of each shingle: FNV-1a (RFC 9923), mixed by the last step of MurmurHash3. */
function shingleHashes(letters: string): Uint32Array {
  const hashes = new Uint32Array(Math.max(1, letters.length - SHINGLE + 1));
  for (let start = 0; start < hashes.length; start++) {
    let hash = 0x811c9dc5;
    for (let i = start; i < start + SHINGLE && i < letters.length; i++)
      hash = Math.imul(hash ^ letters.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    // The largest value marks an empty range.
    hashes[start] = Math.min((hash ^ (hash >>> 16)) >>> 0, 0xfffffffe);
  }
  return hashes;
}
