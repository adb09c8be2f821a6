import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitLogistic } from '../../../index/evaluate/logistic-regression.ts';
import { mean } from '../../../index/evaluate/retrieval-metrics.ts';

describe('fitLogistic', () => {
  test('returns logits of -ln 2 and ln 2 for two scores that separate the labels', () => {
    const { slope, intercept } = fitLogistic([0, 1], [false, true]);
    expect(slope).toBeCloseTo(2 * Math.LN2, 8);
    expect(intercept).toBeCloseTo(-Math.LN2, 8);
  });

  test('meets the mean target at each of two distinct scores', () => {
    // 3 positives and 5 negatives give targets of 4/5 and 1/7. Score 0 has one positive of four, score 2 two of four.
    const scores = [0, 0, 0, 0, 2, 2, 2, 2];
    const labels = [true, false, false, false, true, true, false, false];
    const logit = (p: number) => Math.log(p / (1 - p));
    const at0 = logit((4 / 5 + 3 / 7) / 4);
    const at2 = logit((8 / 5 + 2 / 7) / 4);
    const { slope, intercept } = fitLogistic(scores, labels);
    expect(intercept).toBeCloseTo(at0, 8);
    expect(slope).toBeCloseTo((at2 - at0) / 2, 8);
  });

  test('is close to the published fit of exams by hours of study, 1.5046 x - 4.0777', () => {
    const hours = [
      0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.25, 4.5, 4.75, 5, 5.5,
    ];
    const passed = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1];
    // Each observation is repeated 10,000 times, so the smoothed targets differ from 0 and 1 by 1e-5 only.
    const times = Array.from({ length: 10_000 });
    const { slope, intercept } = fitLogistic(
      times.flatMap(() => hours),
      times.flatMap(() => passed.map((label) => label === 1)),
    );
    expect(slope).toBeCloseTo(1.5046, 3);
    expect(intercept).toBeCloseTo(-4.0777, 2);
  });

  test('has a zero gradient at the fit for any scores', () => {
    const observation = fc.record({
      score: fc.oneof(
        fc.double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true, noDefaultInfinity: true }),
      ),
      label: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 60 }), (observations) => {
        const scores = observations.map(({ score }) => score);
        const scale = Math.max(...scores.map(Math.abs), 1e-3);
        fc.pre(Math.max(...scores) - Math.min(...scores) > 1e-3 * scale || scores.length === 1);
        const labels = observations.map(({ label }) => label);
        const { slope, intercept } = fitLogistic(scores, labels);
        const positives = labels.filter((label) => label).length;
        const high = (positives + 1) / (positives + 2);
        const low = 1 / (labels.length - positives + 2);
        const errors = scores.map(
          (score, i) => 1 / (1 + Math.exp(-(slope * score + intercept))) - (labels[i] ? high : low),
        );
        expect(mean(errors)).toBeCloseTo(0, 6);
        expect(mean(errors.map((error, i) => (error * scores[i]!) / scale))).toBeCloseTo(0, 6);
      }),
    );
  });

  test('returns finite, increasing probabilities for separable scores, with 0.5 between the groups', () => {
    const scores = [...Array.from({ length: 500 }, (_, i) => i / 1000), 0.9, 0.95];
    const labels = scores.map((score) => score >= 0.9);
    const { slope, intercept } = fitLogistic(scores, labels);
    expect(Number.isFinite(slope)).toBe(true);
    expect(slope).toBeGreaterThan(0);
    expect(-intercept / slope).toBeGreaterThan(0.499);
    expect(-intercept / slope).toBeLessThan(0.9);
  });

  test('returns the same probabilities for shifted and scaled scores', () => {
    const scores = [0.1, 0.4, 0.35, 0.8, 0.7, 0.2];
    const labels = [false, true, false, true, true, false];
    const plain = fitLogistic(scores, labels);
    const scaled = fitLogistic(
      scores.map((score) => 0.02 * score + 0.8),
      labels,
    );
    expect(scaled.slope * 0.02).toBeCloseTo(plain.slope, 6);
    expect(scaled.intercept + scaled.slope * 0.8).toBeCloseTo(plain.intercept, 6);
  });

  test('returns slope 0 and the smoothed share for equal scores', () => {
    // The targets are 2/3, 1/4 and 1/4, with a mean of 7/18.
    expect(fitLogistic([5, 5, 5], [true, false, false])).toEqual({
      slope: 0,
      intercept: expect.closeTo(Math.log(7 / 11), 12),
    });
    expect(fitLogistic([1, 2, 3], [true, true, true])).toEqual({
      slope: 0,
      intercept: expect.closeTo(Math.log(4), 12),
    });
  });

  test('refuses lists of different lengths, and scores that are not finite', () => {
    expect(() => fitLogistic([], [])).toThrow('0 scores and 0 labels');
    expect(() => fitLogistic([1, 2], [true])).toThrow('2 scores and 1 labels');
    expect(() => fitLogistic([1, Number.POSITIVE_INFINITY], [true, false])).toThrow('Infinity');
  });
});
