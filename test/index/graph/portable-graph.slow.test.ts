import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { compileForLambda, compileLibrary } from '../../../index/engine/compile-engine.ts';
import { rounded } from '../../../index/graph/graph-builder.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';
import { missingTools, tools } from '../../fixtures/tools.ts';

/** Unit vectors: of any direction, of one component, of equal components. */
const anyVector = (dimensions: number) =>
  fc.oneof(
    fc.nat().map((seed) => normalized(gaussian(dimensions, randomNumbers(seed)))),
    fc.nat(dimensions - 1).map((at) => new Float32Array(dimensions).fill(-1, at, at + 1)),
    fc.constant(normalized(new Float32Array(dimensions).fill(1))),
  );
const anyPair = fc
  .oneof(fc.constant(384), fc.integer({ min: 1, max: 1024 }), fc.constant(65_536))
  .chain((dimensions) => fc.tuple(anyVector(dimensions), anyVector(dimensions)));

test('sums of products of rounded vectors are exact in any order', () => {
  fc.assert(
    fc.property(anyPair, fc.nat(), ([a, b], seed) => {
      const random = randomNumbers(seed);
      const [x, y] = [rounded(a), rounded(b)];
      const order = Array.from(x, () => random());
      const products = x.map((value, i) => value * y[i]!);
      const shuffled = products.map((_, i) => i).sort((i, j) => order[i]! - order[j]!);
      const exact = products.reduce((sum, value) => sum + value, 0);
      // As many sums at once as a processor adds.
      for (const lanes of [1, 4, 16]) {
        const sums = new Float32Array(lanes);
        for (const [at, i] of shuffled.entries()) sums[at % lanes]! += products[i]!;
        expect(sums.reduce((sum, value) => Math.fround(sum + value), 0)).toBe(exact);
      }
      // The most that the products of one sign, or of any other part, can add up to.
      const largest = products.reduce((sum, value) => sum + Math.max(0, value), 0);
      expect(largest).toBeLessThan(2 ** 24);
    }),
  );
});

test('rounding changes cosines by less than the 8-bit numbers of the graph do', () => {
  fc.assert(
    fc.property(fc.tuple(anyVector(384), anyVector(384)), ([a, b]) => {
      const [x, y] = [rounded(a), rounded(b)];
      expect(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y))).toBeCloseTo(dot(a, b), 3);
    }),
  );
});

describe.skipIf(missingTools('Node 24 for arm64', 'qemu-aarch64-static', 'aarch64-linux-gnu-g++'))(
  'on arm64',
  () => {
    test('hnswlib builds the same graph', async () => {
      const folder = temporaryFolder();
      const out = join(folder, 'graph.hnswlib');
      const random = randomNumbers(3);
      const common = gaussian(384, random);
      const vectors = Array.from({ length: 300 }, () =>
        rounded(normalized(gaussian(384, random).map((value, i) => value + 2 * common[i]!))),
      );
      const script = join(folder, 'build.cjs');
      writeFileSync(
        script,
        `const { HierarchicalNSW } = require(process.argv[2]);
      const vectors = ${JSON.stringify(vectors)};
      const graph = new HierarchicalNSW('ip', 384);
      graph.initIndex(vectors.length, 16, 200, 100);
      vectors.forEach((vector, label) => graph.addPoint(vector, label));
      graph.writeIndexSync(${JSON.stringify(out)});
      process.stdout.write(process.arch);`,
      );
      const build = (program: string, ...args: string[]) => {
        const architecture = execFileSync(program, args, { encoding: 'utf8', env: { HOME: '' } });
        return { architecture, file: createHash('sha256').update(readFileSync(out)).digest('hex') };
      };
      const here = build(process.execPath, script, compileLibrary('hnswlib'));
      const addon = await compileForLambda('hnswlib', 'arm64');
      const emulated = ['-L', '/usr/aarch64-linux-gnu', tools['Node 24 for arm64'], script, addon];
      const there = build(tools['qemu-aarch64-static'], ...emulated);
      expect(there).toEqual({ ...here, architecture: 'arm64' });
    }, 600_000);
  },
);
