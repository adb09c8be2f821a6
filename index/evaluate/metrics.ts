import type { Logistic } from '../format/compiled-model.ts';

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

/**
 * Fits the probability of a `true` label given a score: Platt scaling (Platt 1999, Probabilistic Outputs for Support
 * Vector Machines) by Newton's method with backtracking (Lin, Lin and Weng 2007, A Note on Platt's Probabilistic
 * Outputs). Platt's smoothed targets keep the slope finite if the scores separate the labels perfectly.
 * `labels[i]` belongs to `scores[i]`. If all scores or all labels are equal, the slope is 0.
 * Throws if the lists are empty or differ in length, or if a score is not finite.
 */
export function fitLogistic(scores: readonly number[], labels: readonly boolean[]): Logistic {
  if (scores.length === 0 || scores.length !== labels.length) {
    throw new Error(
      `A logistic fit needs one label per score and at least one of each but got ${scores.length} scores and ${labels.length} labels.`,
    );
  }
  const bad = scores.find((score) => !Number.isFinite(score));
  if (bad !== undefined)
    throw new Error(`A logistic fit needs finite scores but one is ${bad}. Leave it out.`);

  const targets = smoothedTargets(labels);
  const share = mean(targets);
  const atShare = Math.log(share / (1 - share));
  const uniform =
    scores.every((score) => score === scores[0]) || labels.every((label) => label === labels[0]);
  if (uniform) return { slope: 0, intercept: atShare };

  // Cosines of one model differ little. Standardizing them gives both directions of the search similar curvature.
  const centre = mean(scores);
  const spread = Math.sqrt(mean(scores.map((score) => (score - centre) ** 2)));
  const standardized = scores.map((score) => (score - centre) / spread);
  const fit = newton(standardized, targets, { slope: 0, intercept: atShare });
  const slope = fit.slope / spread;
  return { slope, intercept: fit.intercept - slope * centre };
}

/** The maximum a posteriori probability of each label under a uniform prior, instead of 1 and 0. */
function smoothedTargets(labels: readonly boolean[]): number[] {
  const positives = labels.filter((label) => label).length;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (labels.length - positives + 2);
  return labels.map((label) => (label ? high : low));
}

function newton(scores: readonly number[], targets: readonly number[], start: Logistic): Logistic {
  let fit = start;
  for (let iteration = 0; iteration < 100; iteration++) {
    const { direction, decrement } = newtonDirection(scores, targets, fit);
    const loss = crossEntropy(scores, targets, fit);
    // Below this, rounding errors of the loss hide any decrease; the full step is then the best one.
    if (decrement < 1e-10 * loss) return moved(fit, direction, 1);
    let step = 1;
    let next = moved(fit, direction, step);
    // Armijo's condition: the step must decrease the loss by a share of the decrease that the gradient predicts.
    while (step > 1e-10 && crossEntropy(scores, targets, next) > loss - 1e-4 * step * decrement) {
      step /= 2;
      next = moved(fit, direction, step);
    }
    fit = next;
  }
  return fit;
}

/** The step to the minimum of the quadratic model of the cross-entropy, and the decrease that the gradient predicts for it. */
function newtonDirection(scores: readonly number[], targets: readonly number[], fit: Logistic) {
  const gradient: Logistic = { slope: 0, intercept: 0 };
  // The Hessian's three entries. The ridge keeps it invertible if every probability is near 0 or 1.
  let slopeSlope = 1e-12;
  let slopeIntercept = 0;
  let interceptIntercept = 1e-12;
  for (const [i, score] of scores.entries()) {
    const chance = 1 / (1 + Math.exp(-(fit.slope * score + fit.intercept)));
    const error = chance - targets[i]!;
    const weight = chance * (1 - chance);
    gradient.slope += error * score;
    gradient.intercept += error;
    slopeSlope += weight * score * score;
    slopeIntercept += weight * score;
    interceptIntercept += weight;
  }
  const determinant = slopeSlope * interceptIntercept - slopeIntercept ** 2;
  const direction: Logistic = {
    slope: (slopeIntercept * gradient.intercept - interceptIntercept * gradient.slope) / determinant,
    intercept: (slopeIntercept * gradient.slope - slopeSlope * gradient.intercept) / determinant,
  };
  const decrement = -(gradient.slope * direction.slope + gradient.intercept * direction.intercept);
  return { direction, decrement };
}

function moved(fit: Logistic, direction: Logistic, step: number): Logistic {
  return {
    slope: fit.slope + step * direction.slope,
    intercept: fit.intercept + step * direction.intercept,
  };
}

/** The sum over all scores, in nats. This form cannot overflow. */
function crossEntropy(scores: readonly number[], targets: readonly number[], fit: Logistic): number {
  return scores.reduce((sum, score, i) => {
    const logit = fit.slope * score + fit.intercept;
    return sum + Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - targets[i]! * logit;
  }, 0);
}

function requireRelevant(relevant: ReadonlySet<string>): void {
  if (relevant.size === 0) {
    throw new Error('Recall and nDCG are undefined for a question without relevant passages. Leave it out.');
  }
}
