import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { HashTable, Numbers } from '../../../index/format/compact.ts';
import { InvertedFile } from '../../../index/format/postings.ts';
import { lengthOf } from '../../../index/format/vectors.ts';
import { graphLinker } from '../../../index/graph/graph-builder.ts';
import { buildGraph } from '../../fixtures/files.ts';
import { gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();

test('an inverted file has the lists of a map, in order of first use, with any bound', () => {
  const passages = fc.array(fc.dictionary(fc.string({ maxLength: 2 }), fc.integer({ min: 1, max: 9 })));
  fc.assert(
    fc.property(passages, fc.integer({ min: 1, max: 20 }), (all, most) => {
      const file = new InvertedFile(join(folder, 'inverted.tmp'), most);
      const expected = new Map<string, [ordinal: number, count: number][]>();
      for (const [ordinal, counts] of all.entries()) {
        file.add(ordinal, new Map(Object.entries(counts)));
        for (const [key, count] of Object.entries(counts))
          expected.set(key, [...(expected.get(key) ?? []), [ordinal, count]]);
      }
      const found = Array.from(file.lists(), ({ key, ordinals, counts }) => [
        key,
        Array.from(ordinals, (ordinal, i) => [ordinal, counts[i]]),
      ]);
      expect(file.size).toBe(expected.size);
      file.remove();
      expect(found).toEqual([...expected]);
      expect(readdirSync(folder)).not.toContain('inverted.tmp');
    }),
  );
});

test('a hash table has the entries of a map', () => {
  const random = randomNumbers(1);
  const [table, map] = [new HashTable(), new Map<number, number>()];
  // Few different hashes, so that some are set twice; the second half shares its slots.
  for (let i = 0; i < 5000; i++) {
    const hash = Math.floor(random() * 4000) * (i % 2 === 0 ? 1 : 2 ** 36);
    table.set(hash, i);
    map.set(hash, i);
  }
  for (const [hash, value] of map) expect(table.get(hash)).toBe(value);
  expect(table.get(2 ** 48 - 1)).toBeUndefined();
});

test('a growing list returns its numbers', () => {
  const numbers = new Numbers();
  for (let i = 0; i < 150_000; i++) numbers.push(2 ** 32 - 1 - i);
  expect(numbers.length).toBe(150_000);
  for (const i of [0, 65_535, 65_536, 149_999]) expect(numbers.get(i)).toBe(2 ** 32 - 1 - i);
});

test('the length of a vector is that of Math.hypot, to the last bit', () => {
  const bytes = fc.int8Array({ minLength: 1, maxLength: 400 });
  const floats = fc.float32Array({ minLength: 1, maxLength: 400, noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(fc.oneof(bytes, floats), (vector) => lengthOf(vector) === Math.hypot(...vector)));
});

test('a process that gets the vectors bit by bit writes the same graph', async () => {
  const [count, dimensions] = [4100, 8];
  const random = randomNumbers(2);
  const vectors = Array.from({ length: count }, () => normalized(gaussian(dimensions, random)));
  const [file, graph] = [join(folder, 'vectors.tmp'), join(folder, 'graph.bin')];
  const linker = graphLinker(file, graph, count, dimensions);
  for (const end of [1000, 1001, count]) {
    writeFileSync(file, Buffer.concat(vectors.slice(0, end).map(({ buffer }) => new Uint8Array(buffer))));
    if (end < count) linker.available(end);
  }
  await linker.finish();
  buildGraph(join(folder, 'expected.bin'), vectors);
  expect(readFileSync(graph).equals(readFileSync(join(folder, 'expected.bin')))).toBe(true);
});
