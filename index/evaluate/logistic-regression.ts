import { Matrix, solve } from 'ml-matrix';
import type { Logistic } from '../format/compiled-model.ts';
import { mean } from './retrieval-metrics.ts';

/** Newton steps. The loss is convex, and ten steps reach its minimum to double precision. */
const STEPS = 100;
/** A longer step could overshoot where the probabilities are near 0 or 1. */
const LONGEST_STEP = 5;

/**
 * Fits logistic regression with a ridge penalty: the weights w that maximize the weighted log-likelihood of P(label) = 1 / (1 + e^-(w x))
 * minus ridge / 2 |w|², by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani and Friedman 2009, The Elements of
 * Statistical Learning, 4.4.1). The first term of each row is the constant 1, whose weight is not penalized.
 * @param rows the terms of each example, all with the same number
 * @param labels 1 or 0, or the probability of 1
 * @param importance the weight of each example
 * @returns a weight for each term
 * @throws if the lists are empty or differ in length
 */
export function fitLogisticRegression(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  importance: readonly number[],
  ridge: number,
): number[] {
  const terms = rows[0]?.length;
  if (terms === undefined || labels.length !== rows.length || importance.length !== rows.length)
    throw new Error(
      `Logistic regression needs one label and one weight for each example, but has ${rows.length} examples, ${labels.length} labels and ${importance.length} weights.`,
    );
  const weights = new Float64Array(terms);
  for (let step = 0; step < STEPS; step++) {
    const gradient = new Float64Array(terms);
    const hessian = Matrix.zeros(terms, terms);
    rows.forEach((row, n) => {
      const logit = row.reduce((sum, value, i) => sum + value * weights[i]!, 0);
      const chance = 1 / (1 + Math.exp(-logit));
      const error = importance[n]! * (labels[n]! - chance);
      const curvature = importance[n]! * Math.max(1e-9, chance * (1 - chance));
      for (let i = 0; i < terms; i++) {
        gradient[i]! += error * row[i]!;
        const scaled = curvature * row[i]!;
        for (let j = 0; j <= i; j++) hessian.set(i, j, hessian.get(i, j) + scaled * row[j]!);
      }
    });
    for (let i = 0; i < terms; i++) {
      for (let j = 0; j < i; j++) hessian.set(j, i, hessian.get(i, j));
      const penalty = i === 0 ? 1e-9 : ridge;
      gradient[i]! -= penalty * weights[i]!;
      hessian.set(i, i, hessian.get(i, i) + penalty);
    }
    const change = solve(hessian, Matrix.columnVector(Array.from(gradient)));
    const size = change.norm();
    const scale = Math.min(1, LONGEST_STEP / size);
    for (let i = 0; i < terms; i++) weights[i]! += scale * change.get(i, 0);
    if (size < 1e-8) break;
  }
  return Array.from(weights);
}

/**
 * Fits the probability of a `true` label given a score: Platt scaling (Platt 1999, Probabilistic Outputs for Support Vector Machines).
 * Platt's smoothed targets keep the slope finite if the scores separate the labels perfectly.
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
  const isUniform =
    scores.every((score) => score === scores[0]) || labels.every((label) => label === labels[0]);
  if (isUniform) {
    const share = mean(targets);
    return { slope: 0, intercept: Math.log(share / (1 - share)) };
  }
  // Cosines of one model differ little. Standardizing them gives both directions of the search similar curvature.
  const centre = mean(scores);
  const spread = Math.sqrt(mean(scores.map((score) => (score - centre) ** 2)));
  const rows = scores.map((score) => [1, (score - centre) / spread]);
  const importance = scores.map(() => 1);
  const [intercept = 0, weight = 0] = fitLogisticRegression(rows, targets, importance, 1e-12);
  const slope = weight / spread;
  return { slope, intercept: intercept - slope * centre };
}

/** The maximum a posteriori probability of each label under a uniform prior, instead of 1 and 0. */
function smoothedTargets(labels: readonly boolean[]): number[] {
  const positives = labels.filter((label) => label).length;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (labels.length - positives + 2);
  return labels.map((label) => (label ? high : low));
}
