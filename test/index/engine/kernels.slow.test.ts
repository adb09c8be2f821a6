import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackedEncoder } from '../../../index/embedding/encoder.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';
import { library } from './engine-library.ts';
import { encoderBytes, randomModel, referenceEmbedding } from './random-model.ts';

const path = join(temporaryFolder(), 'encoder.bin');
const SIZES = { columns: 64, layers: 2, heads: 2, inner: 192, axes: 1 };

const anyModel = fc.record({
  columns: fc.constantFrom(64, 128),
  layers: fc.integer({ min: 1, max: 2 }),
  heads: fc.constantFrom(1, 2),
  inner: fc.constantFrom(64, 192),
  axes: fc.integer({ min: 0, max: 2 }),
});

/** About the error of a number of up to 255 in single precision. */
const HALFWAY = 1e-5;

/** The embedding by every kernel. */
function runAll(rows: Float32Array): Promise<Float32Array[]> {
  return Promise.all(
    library.kernels.map((kernel) =>
      new PackedEncoder(path, readFileSync(path), library, { kernel }).run(rows),
    ),
  );
}

test('every kernel returns the same bits, and agrees with the definitions of the operators', async () => {
  await fc.assert(
    fc.asyncProperty(anyModel, fc.integer({ min: 1, max: 40 }), fc.nat(), async (sizes, tokens, seed) => {
      const model = randomModel(sizes, seed);
      writeFileSync(path, encoderBytes(sizes, model));
      const rows = gaussian(tokens * sizes.columns, randomNumbers(seed + 1));
      const [embedding, ...others] = await runAll(rows);
      for (const other of others) expect(other).toEqual(embedding);
      const input = Array.from({ length: tokens }, (_, t) =>
        Array.from(rows.subarray(t * sizes.columns, (t + 1) * sizes.columns)),
      );
      // In single precision, a number halfway between two bytes may round either way.
      const agrees = (nudge: number) =>
        dot(embedding!, referenceEmbedding(sizes, model, input, nudge)) > 0.9995;
      expect([0, HALFWAY, -HALFWAY].some(agrees)).toBe(true);
    }),
    { examples: [[{ columns: 64, layers: 2, heads: 1, inner: 64, axes: 0 }, 27, 270856182]] },
  );
});

test('this processor has a kernel besides the portable one', () => {
  expect(library.kernels.at(-1)).toBe('plain');
  expect(library.kernels.length).toBeGreaterThan(1);
});

test('rows with NaN or infinite numbers give an error', async () => {
  writeFileSync(path, encoderBytes(SIZES, randomModel(SIZES, 1)));
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const rows = gaussian(5 * SIZES.columns, randomNumbers(2));
    rows[100] = number;
    await expect(runAll(rows)).rejects.toThrow(
      'The embedding contains NaN: rows.bin or encoder.bin is damaged.',
    );
  }
});

test('numbers of any size give the same bits, or the same error', async () => {
  const number = fc.oneof(fc.float({ min: -8, max: 8, noNaN: true }), fc.float());
  const someNumbers = fc.array(number, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(someNumbers, fc.nat(), async (numbers, seed) => {
      const model = randomModel(SIZES, seed);
      for (const array of model.floats) array.set(numbers);
      writeFileSync(path, encoderBytes(SIZES, model));
      const rows = gaussian(5 * SIZES.columns, randomNumbers(seed + 1));
      const results = await Promise.all(
        library.kernels.map((kernel) =>
          new PackedEncoder(path, readFileSync(path), library, { kernel })
            .run(rows)
            .catch((error: Error) => error.message),
        ),
      );
      for (const result of results) expect(result).toEqual(results[0]);
    }),
  );
});

test('sums of weights that exceed an int with any zero point wrap around', async () => {
  const model = randomModel(SIZES, 1);
  for (const array of model.sums) array.fill(2 ** 31 - 1, 0, 8).fill(-(2 ** 31), 8, 16);
  writeFileSync(path, encoderBytes(SIZES, model));
  for (const embedding of await runAll(gaussian(5 * SIZES.columns, randomNumbers(2))))
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
});

test('sums at the limit of 16 bits have the same bits', async () => {
  const sizes = { ...SIZES, layers: 1 };
  const model = randomModel(sizes, 1);
  const { first, parts } = model;
  // All tokens become `bias`, and its bytes 255 and `byte`. With the largest weights, 16 products of 32 exceed 2 ** 15.
  first.weight.fill(0);
  parts[0]!.qkv.smooth.fill(1);
  model.weights[0]!.fill(64);
  model.sums[0]!.fill(64 * sizes.columns);
  for (const byte of [31, 32, 33, 255]) {
    first.bias.fill(byte / 255).fill(1, 32, 33);
    writeFileSync(path, encoderBytes(sizes, model));
    const [embedding, ...others] = await runAll(gaussian(3 * sizes.columns, randomNumbers(2)));
    for (const other of others) expect(other).toEqual(embedding);
  }
});
