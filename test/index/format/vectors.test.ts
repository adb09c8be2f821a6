import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import wabt from 'wabt';
import { MODULE as CRC32C } from '../../../index/format/crc32c.ts';
import { DotProducts, MODULE } from '../../../index/format/vectors.ts';
import { dot, root } from '../../fixtures/index.ts';

const byte = fc.integer({ min: -127, max: 127 });

test('computes the dot product of any query and several vectors, up to the rounding of the query', () => {
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
      const product = products.prepare(query);
      // Each number of the query is off by at most half a 16-bit step, times at most 127.
      const rounding = (127 * query.length * Math.max(...query.map(Math.abs))) / 32767;
      for (const [i, vector] of vectors.entries())
        expect(Math.abs(product(i * query.length) - dot(query, vector))).toBeLessThanOrEqual(rounding);
    }),
  );
});

test('ignores bytes after a vector', () => {
  const products = new DotProducts(6, 3);
  products.bytes.set([1, 2, 3, 127, 127, 127]);
  expect(products.prepare(Float32Array.of(1, 1, 1))(0)).toBeCloseTo(6, 3);
});

test('sums the largest possible products without overflow', () => {
  for (const dimensions of [384, 4096, 20_000]) {
    const products = new DotProducts(dimensions, dimensions);
    products.bytes.fill(127);
    const value = 1 / Math.sqrt(dimensions);
    const query = new Float32Array(dimensions).fill(value);
    expect(products.prepare(query)(0) / (127 * value * dimensions)).toBeCloseTo(1, 2);
    products.bytes.fill(-127);
    expect(products.prepare(query)(0) / (127 * value * dimensions)).toBeCloseTo(-1, 2);
  }
});

test('two queries can be used alternately', () => {
  const products = new DotProducts(2, 2);
  products.bytes.set([3, 4]);
  const first = products.prepare(Float32Array.of(1, 0));
  const second = products.prepare(Float32Array.of(0, 1));
  for (let turn = 0; turn < 3; turn++) {
    expect(first(0)).toBeCloseTo(3, 3);
    expect(second(0)).toBeCloseTo(4, 3);
  }
});

test.each([
  ['dot-product.wat', MODULE],
  ['crc32c.wat', CRC32C],
])('%s assembles to the embedded module', async (name, module) => {
  const text = readFileSync(join(root, 'index/format', name), 'utf8');
  const { buffer } = (await wabt()).parseWat(name, text, { simd: true }).toBinary({});
  expect(module.toString('base64')).toBe(Buffer.from(buffer).toString('base64'));
});
