import { Matrix, solve } from 'ml-matrix';

/** Newton steps. The loss is convex, and ten steps reach its minimum to double precision. */
const STEPS = 25;

/**
 * Fits logistic regression with a ridge penalty: the weights w that maximize the weighted log-likelihood of P(label) = 1 / (1 + e^-(w x))
 * minus ridge / 2 |w|², by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani and Friedman 2009, The Elements of
 * Statistical Learning, 4.4.1). The first term of each row is the constant 1, whose weight is not penalized.
 * @param rows the terms of each example, all with the same number
 * @param importance the weight of each example
 * @returns a weight for each term
 * @throws if the lists are empty or differ in length
 */
export function fitLogisticRegression(
  rows: readonly (readonly number[])[],
  labels: readonly boolean[],
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
      const error = importance[n]! * (Number(labels[n]) - chance);
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
    // A long step could overshoot where the probabilities are near 0 or 1.
    const scale = Math.min(1, 5 / size);
    for (let i = 0; i < terms; i++) weights[i]! += scale * change.get(i, 0);
    if (size < 1e-8) break;
  }
  return Array.from(weights);
}
