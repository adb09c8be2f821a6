import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../../index/format/heap.ts';

test('pops the smallest key first, in any order of pushes and pops', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: -20, max: 20 }))), (steps) => {
      const heap = new Heap();
      const keys: number[] = [];
      let model: number[] = [];
      for (const step of steps) {
        if (step !== null) {
          heap.push(step, keys.length);
          model.push(keys.length);
          keys.push(step);
        } else if (model.length > 0) {
          const minKey = heap.minKey;
          const ordinal = heap.pop();
          expect(keys[ordinal]).toBe(minKey);
          expect(minKey).toBe(Math.min(...model.map((one) => keys[one]!)));
          expect(model).toContain(ordinal);
          model = model.filter((one) => one !== ordinal);
        }
        expect(heap.size).toBe(model.length);
      }
      const left = heap.entries().sort((a, b) => a.ordinal - b.ordinal);
      expect(left).toEqual(model.map((ordinal) => ({ ordinal, key: keys[ordinal] })));
    }),
  );
  expect(new Heap().minKey).toBe(Number.POSITIVE_INFINITY);
});
