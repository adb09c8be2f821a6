import type { Graph, Neighbor } from '../format/graph-file.ts';
import { Heap } from '../format/heap.ts';
import type { Typicality } from '../format/languages-file.ts';
import type { SentenceVectors } from '../format/sentences-file.ts';
import type { Explanation } from './answer.ts';

/** Candidates that the graph and BM25 propose, at least. */
const CANDIDATES = 100;
const LEXICAL_CANDIDATES = 50;
/** Candidates that the graph keeps while it searches: recall@10 against exact search is .993 to .995 at 10 to 100 thousand passages (npm run bench -- scale). */
export const EF = 400;
/** Up to so many passages, the whole index or what a filter leaves, are compared one by one, which is then quicker than the graph. */
const EXACT = 1000;
/** What the share of BM25 counts beside two cosines. */
export const LEXICAL_WEIGHT = 0.3;
/** How much of what any passage of the index would get is taken off: it says that a question is near to all, so to none. */
export const INDEX_WEIGHT = 0.3;
/** How much of what any passage in its language would get beyond that: it says which language is near, not which passage. */
export const LANGUAGE_WEIGHT = 0.7;

/** A passage with the score it got. */
export interface Ranked {
  ordinal: number;
  score: number;
  parts: Explanation;
  /** The number of its best sentence; -1 where vectors were not compared. */
  sentence: number;
}

/** What a question is compared with. */
export interface Ranking {
  k: number;
  graph: Graph;
  sentences: SentenceVectors;
  passages: number;
  /** The question's vector; undefined in lexical mode. */
  vector?: Float32Array;
  typicality: Typicality;
  /** BM25 shares by ordinal; empty in semantic mode. */
  shares: ReadonlyMap<number, number>;
  /** Ordinals that a filter leaves, ascending; undefined without a filter. */
  allowed?: readonly number[];
}

/**
 * The k best passages, best first: candidates from graph and BM25, each scored by the cosine of the passage, that of its best
 * sentence and its share of BM25, less a part of what any passage would get. Sums rather than ranks are fused: across
 * languages no term matches, and a share of nothing adds nothing.
 */
export function rank(ranking: Ranking): Ranked[] {
  const { k, vector, graph, sentences, typicality, shares, allowed } = ranking;
  const permitted = allowed && new Set(allowed);
  const wanted = Math.max(CANDIDATES, k);
  const matched = [...shares].filter(([ordinal]) => permitted?.has(ordinal) ?? true);
  const lexical = highest(matched, Math.max(LEXICAL_CANDIDATES, k), ([, share]) => share)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, Math.max(LEXICAL_CANDIDATES, k));
  if (!vector) {
    return lexical.slice(0, k).map(([ordinal, share]) => {
      const parts = { passage: 0, sentence: 0, lexical: share, typical: 0 };
      return { ordinal, score: share, parts, sentence: -1 };
    });
  }
  const similarity = new Map(
    nearest(ranking, vector, wanted, permitted).map((found) => [found.ordinal, found.similarity]),
  );
  const cosine = graph.similarities(vector);
  for (const [ordinal] of lexical) if (!similarity.has(ordinal)) similarity.set(ordinal, cosine(ordinal));
  const bestOf = sentences.best(vector);
  const ranked = Array.from(similarity, ([ordinal, passage]): Ranked => {
    const best = bestOf(ordinal);
    const parts = {
      passage,
      sentence: best.cosine,
      lexical: LEXICAL_WEIGHT * (shares.get(ordinal) ?? 0),
      typical:
        -INDEX_WEIGHT * typicality.index -
        LANGUAGE_WEIGHT * (typicality.ofLanguage(ordinal) - typicality.index),
    };
    const score = parts.passage + parts.sentence + parts.lexical + parts.typical;
    return { ordinal, score, parts, sentence: best.sentence };
  });
  return highest(ranked, k, ({ score }) => score)
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
    .slice(0, k);
}

/** Those with the `count` highest values, and what equals the last: numbers are sorted natively, while comparing hundreds takes a cold process milliseconds. */
function highest<Entry>(entries: Entry[], count: number, value: (entry: Entry) => number): Entry[] {
  if (entries.length <= count) return entries;
  const values = Float64Array.from(entries, value).sort();
  const least = values[values.length - count]!;
  return entries.filter((entry) => value(entry) >= least);
}

/** The nearest passages, in no order. Where few are allowed, or the graph's own limits leave fewer than there are, all allowed ones are compared. */
function nearest(
  { graph, allowed, passages }: Ranking,
  vector: Float32Array,
  wanted: number,
  permitted?: Set<number>,
): Neighbor[] {
  const all = allowed?.length ?? passages;
  const existing = Math.min(wanted, all);
  if (all > EXACT) {
    const found = graph.search(
      vector,
      existing,
      Math.max(EF, wanted),
      permitted && ((ordinal) => permitted.has(ordinal)),
    );
    if (found.length >= existing) return found;
  }
  const cosine = graph.similarities(vector);
  const best = new Heap();
  for (let i = 0; i < all; i++) {
    const ordinal = allowed ? allowed[i]! : i;
    const similarity = cosine(ordinal);
    if (best.size === existing && similarity <= best.least) continue;
    best.push(similarity, ordinal);
    if (best.size > existing) best.pop();
  }
  return best.entries().map(({ key, ordinal }) => ({ ordinal, similarity: key }));
}
