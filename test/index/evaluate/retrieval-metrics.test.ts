import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  auroc,
  mean,
  ndcg,
  precisionAt1,
  recall,
  reciprocalRank,
  signTest,
} from '../../../index/evaluate/retrieval-metrics.ts';

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
