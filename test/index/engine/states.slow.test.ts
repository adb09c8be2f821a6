import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackedEncoder } from '../../../index/embedding/encoder.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';
import { library } from './engine-library.ts';
import { encoderBytes, randomModel, type Sizes } from './random-model.ts';

const folder = temporaryFolder();
const SIZES = { columns: 64, layers: 3, heads: 2, inner: 64, axes: 0 };

/** Writes a random model, and opens it with a layer for its states. */
function open(sizes: Sizes, seed: number, layer?: number, kernel?: string): PackedEncoder {
  const path = join(folder, `${sizes.layers}-${seed}.bin`);
  writeFileSync(path, encoderBytes(sizes, randomModel(sizes, seed)));
  return new PackedEncoder(path, readFileSync(path), library, { layer, kernel });
}

const anyText = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat());

test('every kernel returns the states of a layer with the same bits', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, fc.integer({ min: 1, max: 3 }), async ([tokens, seed], layer) => {
      const rows = gaussian(tokens * SIZES.columns, randomNumbers(seed));
      const [first, ...others] = await Promise.all(
        library.kernels.map((kernel) => open(SIZES, seed, layer, kernel).runWithStates(rows)),
      );
      for (const other of others) expect(other).toEqual(first);
      expect(first!.vector).toEqual(await open(SIZES, seed).run(rows));
    }),
  );
});

test('the states of a layer do not depend on the layers after it', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, fc.constantFrom(1, 2), async ([tokens, seed], layer) => {
      const rows = gaussian(tokens * SIZES.columns, randomNumbers(seed));
      const { states } = await open(SIZES, seed, layer).runWithStates(rows);
      // Models with the same seed have the same first layers.
      const shorter = await open({ ...SIZES, layers: layer }, seed, layer).runWithStates(rows);
      expect(states).toEqual(shorter.states);
    }),
  );
});

test('the mean of the last layer’s states has the direction of the vector', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, async ([tokens, seed]) => {
      const rows = gaussian(tokens * SIZES.columns, randomNumbers(seed));
      const { vector, states } = await open(SIZES, seed, 3).runWithStates(rows);
      const sum = Array.from(vector, (_, i) =>
        states.reduce((total, value, at) => (at % SIZES.columns === i ? total + value : total), 0),
      );
      expect(dot(vector, sum) / Math.hypot(...sum)).toBeCloseTo(1, 5);
    }),
  );
});

test('an encoder without a layer has no states', async () => {
  await expect(open(SIZES, 1).runWithStates(new Float32Array(SIZES.columns))).rejects.toThrow(
    'The model was compiled without token states.',
  );
});
