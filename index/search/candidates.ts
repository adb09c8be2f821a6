import type { Neighbor } from '../format/graph-file.ts';
import { fieldKey, KEYS } from '../format/lookup-file.ts';
import type { Filter } from '../format/passage.ts';
import { MOST } from '../format/postings.ts';
import { InvalidRequest, type Lists, type Row, type Selection, type Store } from '../store/store.ts';
import { termsOf } from '../text/terms.ts';

export const CANDIDATES = {
  /** Taken from the vectors, or k if that is more. */
  vector: 100,
  /** Taken from BM25, or k if that is more. */
  lexical: 50,
} as const;

/** How to find candidates. */
interface Finders {
  store: Store;
  /** The question's; undefined in lexical mode. */
  vector?: Float32Array | undefined;
  /** Returns undefined without a filter. */
  select: () => Promise<Selection | undefined>;
  /** No passage has a score in semantic mode. */
  scoreTerms: () => Promise<LexicalScores>;
}

/** The passages that a question finds by its vector and by its words, before they are ranked. */
export class Candidates {
  /** The passages that match the filter. */
  readonly selection: Selection | undefined;
  readonly terms: LexicalScores;
  /** By language: what ranking subtracts. The first ranking of a question decides it for those that follow. */
  excesses?: ReadonlyMap<number, number>;
  readonly #store: Store;
  readonly #vector: Float32Array | undefined;
  readonly #rows = new Map<number, Row>();
  #neighbors: readonly Neighbor[];
  /** How many neighbors were asked for. */
  #wanted: number;
  /** The selection without the passages that were left out. */
  #left: Selection | undefined;

  private constructor(
    { store, vector }: Finders,
    selection: Selection | undefined,
    terms: LexicalScores,
    neighbors: readonly Neighbor[],
    wanted: number,
  ) {
    this.#store = store;
    this.#vector = vector;
    this.selection = selection;
    this.#left = selection;
    this.terms = terms;
    this.#neighbors = neighbors;
    this.#wanted = wanted;
  }

  /** Finds the candidates for the k best passages. Reads the lists of the question's words at the same time as its neighbors. */
  static async find(k: number, finders: Finders): Promise<Candidates> {
    const { store, vector, select, scoreTerms } = finders;
    const wanted = Math.max(CANDIDATES.vector, k);
    const findNear = async () => {
      const selection = await select();
      return { selection, neighbors: vector ? await store.nearest(vector, wanted, selection) : [] };
    };
    const [{ selection, neighbors }, terms] = await Promise.all([findNear(), scoreTerms()]);
    return new Candidates(finders, selection, terms, neighbors, wanted);
  }

  /** The passages with the highest BM25 shares for the k best passages, highest first. */
  lexical(k: number): [ordinal: number, share: number][] {
    const count = Math.max(CANDIDATES.lexical, k);
    const matched = [...this.terms.shares].filter(([ordinal]) => this.#left?.has(ordinal) ?? true);
    return highest(matched, count, ([, share]) => share)
      .sort(([a, x], [b, y]) => y - x || a - b)
      .slice(0, count);
  }

  /** The cosine of each passage that is near the vector, by ordinal, for the k best passages. */
  async near(k: number): Promise<Map<number, number>> {
    if (this.#vector && k > this.#wanted) {
      this.#wanted = Math.max(CANDIDATES.vector, k);
      this.#neighbors = await this.#store.nearest(this.#vector, this.#wanted, this.#left);
    }
    return new Map(this.#neighbors.map(({ ordinal, similarity }) => [ordinal, similarity]));
  }

  /** Finds these passages no more. */
  leaveOut(ordinals: readonly number[]): void {
    const without = new Set([...(this.#left?.without ?? []), ...ordinals]);
    const { filter = {}, ordinals: matching = Array.from({ length: this.#store.size }, (_, i) => i) } =
      this.selection ?? {};
    const left = matching.filter((ordinal) => !without.has(ordinal));
    const all = new Set(left);
    this.#left = { filter, ordinals: left, has: (ordinal) => all.has(ordinal), without };
    this.#neighbors = this.#neighbors.filter(({ ordinal }) => all.has(ordinal));
    this.#wanted = this.#neighbors.length;
  }

  /** The rows of some passages. Reads those that were not read yet, in one step. */
  async rows(ordinals: Iterable<number>): Promise<Row[]> {
    const wanted = [...ordinals];
    const missing = wanted.filter((ordinal) => !this.#rows.has(ordinal));
    if (missing.length > 0)
      for (const row of await this.#store.rows(missing, this.#vector)) this.#rows.set(row.ordinal, row);
    return wanted.map((ordinal) => this.#rows.get(ordinal)!);
  }
}

/**
 * Selects the passages that match every field of a filter. Returns undefined for a filter without fields. Reads repeated values once.
 * @param filter with at most 32 fields
 * @param fields the fields that the index can be filtered on
 * @param size the bound of all ordinals
 * @throws InvalidRequest for a field that no passage has
 */
export async function matching(
  lists: Lists,
  filter: Filter,
  fields: readonly string[],
  size: number,
): Promise<Selection | undefined> {
  const wanted = Object.entries(filter);
  if (wanted.length === 0) return undefined;
  const keys = wanted.flatMap(([field, value], i) => {
    if (!fields.includes(field)) {
      const fix = `Filter on ${fields.join(', ')}.`;
      throw new InvalidRequest(
        `No passage has the field ${JSON.stringify(field)}. ${fix}`,
        `No passage has a field of the filter. ${fix}`,
      );
    }
    const values = Array.isArray(value) ? value : [value];
    return [...new Set(values.map((one) => fieldKey(field, one)))].map((key) => ({ key, bit: 1 << i }));
  });
  // A bit for each field that the passage matches. Lists may arrive in any order, and need not stay in memory.
  const matched = new Uint32Array(size);
  await Promise.all(
    keys.map(async ({ key, bit }) => {
      for (const ordinal of (await lists.list(key))?.ordinals ?? []) matched[ordinal]! |= bit;
    }),
  );
  const all = 2 ** wanted.length - 1;
  const ordinals: number[] = [];
  matched.forEach((bits, ordinal) => {
    if (bits === all) ordinals.push(ordinal);
  });
  return { filter, ordinals, has: (ordinal) => matched[ordinal] === all };
}

/** BM25 scores of a question. */
export interface LexicalScores {
  /** By ordinal, for each passage with a term: BM25 as a share (0 to 1) of the most that the question could get. */
  shares: Map<number, number>;
  /** idf of each term of the question. */
  idf: Map<string, number>;
}

/**
 * BM25 over all passages, divided by the most that this question could get. So shares are comparable between questions.
 * @param passages of the index
 */
export async function scoreTerms(lists: Lists, question: string, passages: number): Promise<LexicalScores> {
  const shares = new Map<number, number>();
  const idf = new Map<string, number>();
  const found: { weight: number; ordinals: Uint32Array; impacts: Uint8Array }[] = [];
  let bound = 0;
  const terms = [...new Set(termsOf(question))];
  const all = await Promise.all(terms.map((term) => lists.list(KEYS.term + term)));
  for (const [i, list] of all.entries()) {
    const count = list?.ordinals.length ?? 0;
    if (list && list.rest.length !== count)
      throw lists.damaged(`a term has ${count} passages, but ${list.rest.length} scores`);
    const weight = Math.log(1 + (passages - count + 0.5) / (count + 0.5));
    idf.set(terms[i]!, weight);
    bound += weight * MOST;
    if (list) found.push({ weight, ordinals: list.ordinals, impacts: list.rest });
  }
  for (const { weight, ordinals, impacts } of found) {
    ordinals.forEach((ordinal, i) => {
      const add = (weight * MOST * impacts[i]!) / 255 / bound;
      shares.set(ordinal, (shares.get(ordinal) ?? 0) + add);
    });
  }
  return { shares, idf };
}

/**
 * Returns the entries with the `count` highest values in their order, including ties of the last. Sorts a typed array, because it
 * sorts natively: comparing hundreds of entries takes milliseconds in a cold start.
 */
export function highest<Entry>(entries: Entry[], count: number, value: (entry: Entry) => number): Entry[] {
  if (entries.length <= count) return entries;
  const values = new Float64Array(entries.length);
  for (let i = 0; i < entries.length; i++) values[i] = value(entries[i]!);
  const min = values.sort()[values.length - count]!;
  return entries.filter((entry) => value(entry) >= min);
}
