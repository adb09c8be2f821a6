import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompiledModel } from '../../../index/format/compiled-model.ts';
import {
  asksOf,
  checkCalibration,
  confidenceOf,
  evidence,
  FEATURES,
  NO_EVIDENCE,
  quadratic,
  verdictOf,
} from '../../../index/search/confidence.ts';

const scored = (cosine: number, similarities: number[] = []) => ({
  score: 2 * cosine,
  parts: { passage: cosine, sentence: cosine / 2, tokens: similarities[0] ?? 0 },
  nearestTokens: Float32Array.from(similarities.flatMap((similarity) => [similarity, 0])),
});
const SHARED = { typical: 1.5, words: 0.25, common: 1 };

describe('evidence', () => {
  test('of a result among 20 candidates is its distance from their means', () => {
    const peers = Array.from({ length: 20 }, (_, i) => scored(i === 0 ? 0.9 : 0.5, [i === 0 ? 1 : 0.5]));
    const found = evidence(peers, Float32Array.of(1), SHARED)(peers[0]!);
    // The mean of the scores is 1.04, and the variance (0.76 ** 2 + 19 * 0.04 ** 2) / 20.
    expect(found.standing).toBeCloseTo(0.76 / Math.sqrt(0.0304), 4);
    expect(found.passageMargin).toBeCloseTo(0.9 - 0.52, 9);
    expect(found.sentenceMargin).toBeCloseTo(0.45 - 0.26, 9);
    expect(found.tokenMargin).toBeCloseTo(1 - 0.525, 6);
    expect(found).toMatchObject({ sentence: 0.45, typical: 1.5, words: 0.25, lacking: 0 });
  });

  test('fills up fewer than 20 candidates with passages that any index has', () => {
    const found = evidence([scored(0.9)], new Float32Array(), SHARED)(scored(0.9));
    expect(found.passageMargin).toBeCloseTo(0.9 - (0.9 + 19 * (1.5 / 2 + 0.045)) / 20, 9);
    expect(found.tokenMargin).toBe(0);
    const mean = (1.8 + 19) / 20;
    const variance = ((1.8 - mean) ** 2 + 19 * ((1 - mean) ** 2 + 0.05 ** 2)) / 20;
    expect(found.standing).toBeCloseTo((1.8 - mean) / Math.sqrt(variance), 4);
  });

  test('lacks the tokens that match other candidates better, by weight', () => {
    const peers = [scored(2, [0.9, 0.2]), scored(1, [0.3, 0.6])];
    const evidenceOf = evidence(peers, Float32Array.of(0.75, 0.25), SHARED);
    expect(evidenceOf(peers[0]!).lacking).toBeCloseTo(0.25 * 0.4, 6);
    expect(evidenceOf(peers[1]!).lacking).toBeCloseTo(0.75 * 0.6, 6);
    expect(evidenceOf(scored(1, [1, 1])).lacking).toBe(0);
  });

  test('is finite for any number of candidates and scores', () => {
    const score = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(fc.array(score, { maxLength: 25 }), score, (scores, own) => {
        const found = evidence(
          scores.map((one) => scored(one)),
          new Float32Array(),
          SHARED,
        )(scored(own));
        for (const name of FEATURES) expect(found[name]).toSatisfy(Number.isFinite);
      }),
    );
  });
});

test('the terms of a quadratic function are in the order of FORMAT.md', () => {
  expect(quadratic([2, 3, 5])).toEqual([1, 2, 3, 5, 4, 6, 10, 9, 15, 25]);
});

describe('confidence', () => {
  const count = FEATURES.length;
  const zeros = { means: Array(count).fill(0), deviations: Array(count).fill(1) };
  const weights = (changes: Record<number, number>) =>
    Array.from({ length: quadratic(zeros.means).length }, (_, i) => changes[i] ?? 0);
  const judged = {
    score: 9,
    parts: { tokens: 1 },
    evidence: { ...NO_EVIDENCE, standing: 3, typical: 2 },
  };

  test('is the logistic function of the weighted terms', () => {
    const model = { means: [1, ...Array(count - 1).fill(0)], deviations: [2, ...Array(count - 1).fill(1)] };
    // The first feature is (3 - 1) / 2 = 1. Its square is the first product.
    const calibration = {
      hybrid: { tokens: { ...model, weights: weights({ 0: 0.5, 1: 2, [count + 1]: -1 }) } },
    };
    expect(confidenceOf(judged, 'hybrid', true, calibration)).toBeCloseTo(1 / (1 + Math.exp(-1.5)), 9);
  });

  test('uses the model of the mode, with or without token states', () => {
    const flat = (logit: number) => ({ ...zeros, weights: weights({ 0: logit }) });
    const calibration = {
      hybrid: { tokens: flat(1), vectors: flat(2) },
      semantic: { tokens: flat(3), vectors: flat(4) },
      lexical: { slope: 1, intercept: -3 },
    };
    const logits = (['hybrid', 'semantic', 'lexical'] as const).flatMap((mode) =>
      [true, false].map((byTokens) => {
        const confidence = confidenceOf(judged, mode, byTokens, calibration);
        return Math.log(confidence / (1 - confidence));
      }),
    );
    [1, 2, 3, 4, 5, 5].forEach((logit, i) => {
      expect(logits[i]).toBeCloseTo(logit, 6);
    });
  });

  test('without a calibration does not count the tokens of the score', () => {
    const [withTokens, without] = [1, 0].map((tokens) =>
      confidenceOf({ ...judged, score: 1.2 + tokens, parts: { tokens } }, 'hybrid', true, {}),
    );
    expect(withTokens).toBeCloseTo(without!, 9);
  });

  test('refuses a calibration for other features', () => {
    const model = { name: 'other', dimensions: 2, calibration: {} } as CompiledModel;
    const hybrid = { vectors: { means: [0], deviations: [1], weights: [0, 0, 0] } };
    expect(() => checkCalibration(model)).not.toThrow();
    for (const calibration of [{ hybrid }, { asks: { weights: [1], intercept: 0 } }])
      expect(() => checkCalibration({ ...model, calibration })).toThrow(
        'The model other was calibrated by another version of polyseek. Run npx polyseek learn SET… --model FOLDER again.',
      );
  });

  test('of a text asks by its vector, and always without a model', () => {
    const model = { weights: [2, -1], intercept: 0.5 };
    expect(asksOf(Float32Array.of(1, 1), model)).toBeCloseTo(1 / (1 + Math.exp(-1.5)), 6);
    expect(asksOf(Float32Array.of(1, 1), undefined)).toBe(1);
  });

  test('gives the verdict', () => {
    expect(verdictOf(undefined)).toBe('none');
    expect([0.09, 0.1, 0.99].map((confidence) => verdictOf(confidence, 0.99))).toEqual([
      'none',
      'possible',
      'answered',
    ]);
    expect(verdictOf(0.05, 0.05)).toBe('answered');
  });
});
