import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from '../../../index/kit/lru.ts';

test('keeps the most recently used values in any order of use', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.oneof(fc.record({ set: key, to: fc.nat() }), fc.record({ get: key }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, max) => {
      const cache = new Lru<number>(max);
      // The most recently used values are last.
      let expected: [string, number][] = [];
      for (const one of steps) {
        if ('get' in one) {
          const found = expected.find(([name]) => name === one.get);
          expect(cache.get(one.get)).toBe(found?.[1]);
          if (found) expected = [...expected.filter((entry) => entry !== found), found];
        } else {
          cache.set(one.set, one.to);
          expected = [...expected.filter(([name]) => name !== one.set), [one.set, one.to]].slice(
            -max,
          ) as typeof expected;
        }
      }
      for (const name of 'abcdef') expect(cache.get(name)).toBe(expected.find(([n]) => n === name)?.[1]);
    }),
  );
});
