import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, percentile, quartiles } from './stats.ts';

test('returns quantiles by rank for values in any order', () => {
  expect(quartiles([4, 1, 3, 2])).toEqual([1, 2, 3]);
  expect(median([9, 1, 5])).toBe(5);
  expect(percentile([7], 0.99)).toBe(7);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 1)).toBe(100);
});

test('a percentile is the smallest value that at least that share of values does not exceed', () => {
  const values = fc.array(fc.integer(), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (all, share) => {
      const found = percentile(all, share);
      expect(all).toContain(found);
      expect(all.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * all.length);
      expect(all.filter((value) => value < found).length).toBeLessThan(share * all.length);
    }),
  );
});
