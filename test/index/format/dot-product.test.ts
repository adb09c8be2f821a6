import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DotProducts } from '../../../index/format/dot-product.ts';
import { dot } from '../../fixtures/index.ts';

const byte = fc.integer({ min: -127, max: 127 });

test('products of any query with any of several vectors, to the rounding of the query', () => {
  const any = fc.integer({ min: 1, max: 50 }).chain((dimensions) =>
    fc.record({
      query: fc.float32Array({
        ...{ minLength: dimensions, maxLength: dimensions, min: -1, max: 1, noNaN: true },
      }),
      vectors: fc.array(fc.array(byte, { minLength: dimensions, maxLength: dimensions }), {
        minLength: 1,
        maxLength: 5,
      }),
    }),
  );
  fc.assert(
    fc.property(any, ({ query, vectors }) => {
      const products = new DotProducts(vectors.length * query.length, query.length);
      products.bytes.set(vectors.flat());
      const product = products.with(query);
      // Half a unit in 16 bits for each number, with one that is 127 at most.
      const rounding = (127 * query.length * Math.max(...query.map(Math.abs))) / 32767;
      for (const [i, vector] of vectors.entries())
        expect(Math.abs(product(i * query.length) - dot(query, vector))).toBeLessThanOrEqual(rounding);
    }),
  );
});

test('bytes behind a vector do not count', () => {
  const products = new DotProducts(6, 3);
  products.bytes.set([1, 2, 3, 127, 127, 127]);
  expect(products.with(Float32Array.of(1, 1, 1))(0)).toBeCloseTo(6, 3);
});

test('sums stay right where each product is as large as it can be', () => {
  for (const dimensions of [384, 4096, 20_000]) {
    const products = new DotProducts(dimensions, dimensions);
    products.bytes.fill(127);
    const value = 1 / Math.sqrt(dimensions);
    const query = new Float32Array(dimensions).fill(value);
    expect(products.with(query)(0) / (127 * value * dimensions)).toBeCloseTo(1, 2);
    products.bytes.fill(-127);
    expect(products.with(query)(0) / (127 * value * dimensions)).toBeCloseTo(-1, 2);
  }
});

test('a new query takes the place of the last', () => {
  const products = new DotProducts(2, 2);
  products.bytes.set([3, 4]);
  products.with(Float32Array.of(1, 0));
  expect(products.with(Float32Array.of(0, 1))(0)).toBeCloseTo(4, 3);
});
