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
  verdictOf,
} from '../../../index/search/confidence.ts';

const scored = (cosine: number, similarities: number[] = []) => ({
  parts: { passage: cosine, sentence: cosine / 2, lexical: 0.1, tokens: similarities[0] ?? 0 },
  nearestTokens: Float32Array.from(similarities.flatMap((similarity) => [similarity, 0])),
});
const SHARED = { typical: 1.5, words: 0.25 };
/** The cosine of a passage that any index has. */
const COMMON = 1.5 / 2 + 0.045;

describe('evidence', () => {
  test('of a result among 20 candidates is its distance from their means', () => {
    const peers = Array.from({ length: 25 }, (_, i) => scored(i === 0 ? 0.9 : 0.5, [i === 0 ? 1 : 0.5]));
    const found = evidence(peers, Float32Array.of(1), SHARED)(peers[0]!);
    expect(found.passageMargin).toBeCloseTo(0.9 - (0.9 + 19 * 0.5 + COMMON) / 21, 9);
    expect(found.tokenMargin).toBeCloseTo(1 - (1 + 19 * 0.5 + 0.248) / 21, 6);
    expect(found).toMatchObject({ sentence: 0.45, lexical: 0.1, words: 0.25 });
  });

  test('of the only candidate is its distance from a passage that any index has', () => {
    const found = evidence([scored(0.9)], new Float32Array(), SHARED)(scored(0.9));
    expect(found.passageMargin).toBeCloseTo((0.9 - COMMON) / 2, 9);
    expect(found).toMatchObject({ tokenMargin: 0, unmatched: 0, matchable: 0, length: 0 });
  });

  test('compares tokens with the passage and with all candidates, by weight', () => {
    const peers = [scored(2, [0.9, 0.2]), scored(1, [0.3, 0.6])];
    const evidenceOf = evidence(peers, Float32Array.of(0.75, 0.25), SHARED);
    expect(evidenceOf(peers[0]!).unmatched).toBeCloseTo(0.25, 6);
    expect(evidenceOf(peers[1]!).unmatched).toBeCloseTo(0.75, 6);
    expect(evidenceOf(scored(1, [0.5, 1])).unmatched).toBe(0);
    expect(evidenceOf(peers[1]!).matchable).toBeCloseTo(0.75 * 0.9 + 0.25 * 0.6, 6);
  });

  test('has the number of tokens if all have the same weight, and less otherwise', () => {
    const length = (...weights: number[]) =>
      evidence([], Float32Array.from(weights), SHARED)(scored(1)).length;
    expect(length(0.25, 0.25, 0.25, 0.25)).toBeCloseTo(Math.log(4), 6);
    expect(length(0.5, 0.5, 0)).toBeCloseTo(Math.log(2), 6);
    expect(length(0.7, 0.3)).toBeLessThan(Math.log(2));
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

describe('confidence', () => {
  const weights = FEATURES.map(() => 0);
  const judged = {
    score: 9,
    parts: { tokens: 1 },
    evidence: { ...NO_EVIDENCE, passageMargin: 3, length: 2 },
  };

  test('is the logistic function of the weighted features', () => {
    const model = { weights: FEATURES.map((_, i) => i + 1), intercept: -18.5 };
    expect(confidenceOf(judged, 'hybrid', true, { hybrid: { tokens: model } })).toBeCloseTo(
      1 / (1 + Math.exp(-0.5)),
      9,
    );
  });

  test('uses the model of the mode, with or without token states', () => {
    const flat = (intercept: number) => ({ weights, intercept });
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
    const hybrid = { vectors: { weights: [0], intercept: 0 } };
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
    expect([0.14, 0.15, 0.99].map((confidence) => verdictOf(confidence, 0.99))).toEqual([
      'none',
      'possible',
      'answered',
    ]);
    expect(verdictOf(0.05, 0.05)).toBe('answered');
  });
});
