import type { Neighbor } from '../format/graph-file.ts';
import type { Row, Selection, Store } from '../store/store.ts';
import { highest } from './highest.ts';
import type { LexicalScores } from './score-terms.ts';

export const CANDIDATES = {
  /** Taken from the vectors, or k if that is more. */
  vector: 100,
  /** Taken from BM25, or k if that is more. */
  lexical: 50,
} as const;

/** How to find candidates. */
export interface Finders {
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
