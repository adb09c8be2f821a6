/**
 * The share of the relevant passages among the first `k` of `ranked` (best first, ids distinct), 0 to 1. With one relevant passage,
 * this is the hit rate that retrieval papers call R@k. Throws if nothing is relevant, since the share is then undefined.
 */
export function recall(ranked: readonly string[], relevant: ReadonlySet<string>, k: number): number {
  requireRelevant(relevant);
  return ranked.slice(0, k).filter((id) => relevant.has(id)).length / relevant.size;
}

/** 1 if the first of `ranked` is relevant, else 0 (also if `ranked` is empty). */
export function precisionAt1(ranked: readonly string[], relevant: ReadonlySet<string>): number {
  const first = ranked[0];
  return first !== undefined && relevant.has(first) ? 1 : 0;
}

/**
 * 1 / rank of the first relevant passage, counted from 1, or 0 if the first `cutoff` contain none. Its mean over questions is
 * MRR@cutoff (Voorhees 1999, The TREC-8 Question Answering Track Report). MS MARCO uses cutoff 10 (Bajaj et al. 2016).
 */
export function reciprocalRank(
  ranked: readonly string[],
  relevant: ReadonlySet<string>,
  cutoff = 10,
): number {
  const index = ranked.slice(0, cutoff).findIndex((id) => relevant.has(id));
  return index < 0 ? 0 : 1 / (index + 1);
}

/**
 * Normalized discounted cumulative gain with gain 1 for a relevant passage and discount log2(rank + 1), 0 to 1
 * (Järvelin and Kekäläinen 2002, Cumulated Gain-Based Evaluation of IR Techniques; discount as in trec_eval).
 * The ids in `ranked` are distinct. Throws if nothing is relevant, since the ideal gain is then zero.
 */
export function ndcg(ranked: readonly string[], relevant: ReadonlySet<string>, cutoff = 10): number {
  requireRelevant(relevant);
  let gain = 0;
  let ideal = 0;
  for (let rank = 1; rank <= cutoff; rank++) {
    const discounted = 1 / Math.log2(rank + 1);
    if (rank <= relevant.size) ideal += discounted;
    const id = ranked[rank - 1];
    if (id !== undefined && relevant.has(id)) gain += discounted;
  }
  return gain / ideal;
}

/** The arithmetic mean. Throws on an empty list. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new Error('The mean of no values is undefined. Pass at least one.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Area under the ROC curve, 0 to 1: the probability that a random positive scores higher than a random negative, with ties counted
 * half (Mann and Whitney 1947; Hanley and McNeil 1982). Takes O(n log n). Throws if a list is empty or contains NaN.
 */
export function auroc(positives: readonly number[], negatives: readonly number[]): number {
  if (positives.length === 0 || negatives.length === 0) {
    throw new Error(
      `AUROC needs scores of both kinds but got ${positives.length} positives and ${negatives.length} negatives.`,
    );
  }
  if (positives.some(Number.isNaN) || negatives.some(Number.isNaN)) {
    throw new Error('AUROC needs scores that can be ordered but one is NaN. Leave it out.');
  }
  const ascending = Float64Array.from(negatives).sort();
  let below = 0;
  let upTo = 0;
  let wins = 0;
  for (const score of Float64Array.from(positives).sort()) {
    while (below < ascending.length && ascending[below]! < score) below++;
    while (upTo < ascending.length && ascending[upTo]! <= score) upTo++;
    wins += (below + upTo) / 2;
  }
  return wins / (positives.length * negatives.length);
}

/**
 * The two-sided p-value of the exact sign test (Dixon and Mood 1946, The Statistical Sign Test), over the questions where two
 * methods differ. 1 if they never differ.
 */
export function signTest(wins: number, losses: number): number {
  const n = wins + losses;
  let chance = 0.5 ** n;
  let tail = 0;
  for (let k = 0; k <= Math.min(wins, losses); k++) {
    tail += chance;
    chance *= (n - k) / (k + 1);
  }
  return Math.min(1, 2 * tail);
}

function requireRelevant(relevant: ReadonlySet<string>): void {
  if (relevant.size === 0) {
    throw new Error('Recall and nDCG are undefined for a question without relevant passages. Leave it out.');
  }
}
