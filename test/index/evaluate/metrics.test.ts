import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  auroc,
  fitLogistic,
  mean,
  ndcg,
  precisionAt1,
  recall,
  reciprocalRank,
  signTest,
} from '../../../index/evaluate/metrics.ts';

const ranked = ['a', 'b', 'c', 'd'];
const none: ReadonlySet<string> = new Set();

/** A ranking of distinct ids, and a set of relevant ids. Some of the relevant ids are in the ranking. */
const rankings = fc
  .record({
    ranked: fc.uniqueArray(fc.nat({ max: 40 }).map(String), { maxLength: 25 }),
    relevant: fc.uniqueArray(fc.nat({ max: 40 }).map(String), { minLength: 1, maxLength: 15 }),
  })
  .map(({ ranked, relevant }) => ({ ranked, relevant: new Set(relevant) }));

/** Moves the first relevant id one rank up. Undefined if it is first already or not in the ranking. */
function promoted(ranked: readonly string[], relevant: ReadonlySet<string>): string[] | undefined {
  const index = ranked.findIndex((id) => relevant.has(id));
  return index > 0
    ? [...ranked.slice(0, index - 1), ranked[index]!, ranked[index - 1]!, ...ranked.slice(index + 1)]
    : undefined;
}

test('the sign test adds both tails of a binomial distribution', () => {
  expect(signTest(0, 0)).toBe(1);
  expect(signTest(3, 3)).toBe(1);
  expect(signTest(5, 0)).toBeCloseTo(2 / 32, 12);
  expect(signTest(1, 9)).toBeCloseTo((2 * (1 + 10)) / 1024, 12);
  fc.assert(
    fc.property(fc.nat({ max: 200 }), fc.nat({ max: 200 }), (a, b) => {
      expect(signTest(a, b)).toBe(signTest(b, a));
      expect(signTest(a, b)).toBeLessThanOrEqual(1);
      if (a > b) expect(signTest(a + 1, b)).toBeLessThan(signTest(a, b));
    }),
  );
});

describe('ranking metrics, compared with examples', () => {
  test('recall is the share of relevant results that are found', () => {
    expect(recall(ranked, new Set(['b']), 1)).toBe(0);
    expect(recall(ranked, new Set(['b']), 2)).toBe(1);
    expect(recall(ranked, new Set(['a', 'c', 'x', 'y']), 3)).toBe(0.5);
    expect(recall([], new Set(['a']), 5)).toBe(0);
  });

  test('precision at 1 depends on the first result only', () => {
    expect(precisionAt1(ranked, new Set(['a', 'x']))).toBe(1);
    expect(precisionAt1(ranked, new Set(['b']))).toBe(0);
    expect(precisionAt1([], new Set(['a']))).toBe(0);
    expect(precisionAt1(ranked, none)).toBe(0);
  });

  test('the reciprocal rank uses the first relevant result among the first ten', () => {
    expect(reciprocalRank(ranked, new Set(['c', 'd']))).toBe(1 / 3);
    expect(reciprocalRank(ranked, new Set(['x']))).toBe(0);
    const eleven = Array.from({ length: 11 }, (_, i) => `${i + 1}`);
    expect(reciprocalRank(eleven, new Set(['10']))).toBe(0.1);
    expect(reciprocalRank(eleven, new Set(['11']))).toBe(0);
  });

  test('nDCG discounts by the logarithm of the rank and divides by the best ranking', () => {
    expect(ndcg(ranked, new Set(['a']))).toBe(1);
    expect(ndcg(ranked, new Set(['c']))).toBe(0.5);
    // Relevant at ranks 2 and 4 of an ideal 1 and 2: (0.63093 + 0.43068) / (1 + 0.63093).
    expect(ndcg(ranked, new Set(['b', 'd']))).toBeCloseTo(0.65092, 5);
    const eleven = Array.from({ length: 11 }, (_, i) => `${i + 1}`);
    expect(ndcg(eleven, new Set(['11']))).toBe(0);
    expect(ndcg(eleven, new Set(eleven))).toBe(1);
  });

  test('a question without relevant passages is refused by metrics that need one', () => {
    expect(() => recall(ranked, none, 5)).toThrow('without relevant passages');
    expect(() => ndcg(ranked, none)).toThrow('without relevant passages');
  });

  test('the mean of numbers', () => {
    expect(mean([1, 0, 0.5])).toBe(0.5);
    expect(() => mean([])).toThrow('no values');
  });
});

describe('ranking metrics, properties', () => {
  test('nDCG equals its direct definition', () => {
    fc.assert(
      fc.property(rankings, fc.integer({ min: 1, max: 12 }), ({ ranked, relevant }, cutoff) => {
        const dcg = (gains: number[]) =>
          gains.slice(0, cutoff).reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
        const gains = ranked.map((id) => (relevant.has(id) ? 1 : 0));
        const ideal = [...relevant].map(() => 1);
        expect(ndcg(ranked, relevant, cutoff)).toBeCloseTo(dcg(gains) / dcg(ideal), 12);
      }),
    );
  });

  test('all metrics are between 0 and 1', () => {
    fc.assert(
      fc.property(rankings, fc.integer({ min: 1, max: 12 }), ({ ranked, relevant }, k) => {
        const values = [
          recall(ranked, relevant, k),
          precisionAt1(ranked, relevant),
          reciprocalRank(ranked, relevant, k),
          ndcg(ranked, relevant, k),
        ];
        for (const value of values) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('recall never decreases as k grows, and reaches the share found', () => {
    fc.assert(
      fc.property(rankings, fc.nat({ max: 25 }), ({ ranked, relevant }, k) => {
        expect(recall(ranked, relevant, k + 1)).toBeGreaterThanOrEqual(recall(ranked, relevant, k));
        const found = [...relevant].filter((id) => ranked.includes(id)).length;
        expect(recall(ranked, relevant, ranked.length)).toBe(found / relevant.size);
      }),
    );
  });

  test('moving a relevant result up raises nDCG and the reciprocal rank', () => {
    fc.assert(
      fc.property(rankings, ({ ranked, relevant }) => {
        const better = promoted(ranked, relevant);
        fc.pre(better !== undefined);
        expect(ndcg(better, relevant, 25)).toBeGreaterThan(ndcg(ranked, relevant, 25));
        expect(reciprocalRank(better, relevant, 25)).toBeGreaterThan(reciprocalRank(ranked, relevant, 25));
      }),
    );
  });
});

describe('auroc', () => {
  test('of a small example', () => {
    expect(auroc([2, 3], [0, 1])).toBe(1);
    expect(auroc([0], [1])).toBe(0);
    expect(auroc([1], [1])).toBe(0.5);
    // Pairs: 3>2, 3>1, 1<2, 1=1, so 2.5 of 4.
    expect(auroc([3, 1], [2, 1])).toBe(0.625);
  });

  test('equals the share of correctly ordered pairs, including ties', () => {
    const scores = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        let wins = 0;
        for (const p of positives) for (const n of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0;
        expect(auroc(positives, negatives)).toBe(wins / (positives.length * negatives.length));
      }),
    );
  });

  test('does not change its input', () => {
    const positives = [3, 1, 2];
    const negatives = [2, 0, 1];
    auroc(positives, negatives);
    expect([positives, negatives]).toEqual([
      [3, 1, 2],
      [2, 0, 1],
    ]);
  });

  test('refuses an empty side and NaN', () => {
    expect(() => auroc([], [1])).toThrow('0 positives and 1 negatives');
    expect(() => auroc([1], [])).toThrow('1 positives and 0 negatives');
    expect(() => auroc([1], [Number.NaN])).toThrow('NaN');
    expect(() => auroc([Number.NaN], [1])).toThrow('NaN');
  });
});

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
