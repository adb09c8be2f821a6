import { expect, test } from 'vitest';
import { centred } from '../../../index/evaluate/calibrate.ts';
import type { Outcome } from '../../../index/evaluate/outcomes.ts';
import { FEATURES, logistic, logitBy, NO_EVIDENCE } from '../../../index/search/confidence.ts';

/** A model that gives `sentence` a weight of 1. */
const model = { weights: FEATURES.map((name) => Number(name === 'sentence')), intercept: -1 };
const ASKS = 0.9;

/** Outcomes that are right with a probability whose logit exceeds the model's by `change`. */
function outcomes(change: number) {
  // Low-discrepancy numbers instead of random ones.
  const spread = (i: number, step: number) => (i * step) % 1;
  return Array.from({ length: 4000 }, (_, i) => {
    const evidence = { ...NO_EVIDENCE, sentence: 8 * spread(i + 1, 0.618034) - 4 };
    const outcome: Outcome = {
      question: { id: String(i), lang: 'en', text: '' },
      score: 0,
      confidence: 0,
      evidence,
      verdict: 'none',
      answerable: true,
      correct: spread(i + 1, 0.754878) < ASKS * logistic(logitBy(model, evidence) + change),
    };
    return { outcome, weight: 1, asks: ASKS };
  });
}

test.each([-2, 0, 0.4, 3])('the mean confidence becomes the share of right results: %d', (change) => {
  const found = centred(model, outcomes(change));
  expect(found.weights).toEqual(model.weights);
  expect(Math.abs(found.intercept - model.intercept - change)).toBeLessThan(0.05);
});
