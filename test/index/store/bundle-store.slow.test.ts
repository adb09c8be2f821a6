import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { writeSections } from '../../../index/format/container.ts';
import { type Graph, nearest, openGraph } from '../../../index/format/graph-file.ts';
import { LOOKUP, Lookup } from '../../../index/format/lookup-file.ts';
import { INDEX_FILES } from '../../../index/format/manifest.ts';
import { PASSAGES, Passages } from '../../../index/format/passages-file.ts';
import { BundleStore } from '../../../index/store/bundle-store.ts';
import { buildGraph } from '../../fixtures/files.ts';
import {
  gaussian,
  randomContents,
  randomNumbers,
  randomTokens,
  smallModel,
  temporaryFolder,
  writeIndex,
} from '../../fixtures/index.ts';
import { selectionOf, storeOf } from '../../fixtures/store.ts';
import { storeContract } from './contract.ts';

storeContract('the bundle', async (index) => {
  const store = BundleStore.open(index, smallModel().model, true);
  return { store, close: () => store.close() };
});

/** The number of files that this process has open. */
const openFiles = () => readdirSync('/dev/fd').length;

test('a damaged index leaves no file open', () => {
  const folder = join(temporaryFolder(), 'index');
  const { model } = smallModel();
  const tokens = randomTokens(9, model.dimensions);
  writeIndex(folder, model, { ...randomContents(9, model.dimensions), tokens });
  for (const name of INDEX_FILES.slice(1)) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([Buffer.of(0), bytes.subarray(1)]));
    const before = openFiles();
    expect(() => BundleStore.open(folder, model, false)).toThrow(`${path} is damaged`);
    expect(openFiles(), name).toBe(before);
    writeFileSync(path, bytes);
  }
  BundleStore.open(folder, model, true).close();
});

test('a file with a damaged table is closed', () => {
  const path = join(temporaryFolder(), 'file.bin');
  const before = openFiles();
  writeFileSync(path, writeSections(PASSAGES, [new Uint8Array(12), new Uint8Array(0)]));
  expect(() => new Passages(path)).toThrow('its table of passages has 12 bytes');
  writeFileSync(path, writeSections(LOOKUP, [new Uint8Array(12), new Uint8Array(0)]));
  expect(() => new Lookup(path, 9)).toThrow('its table has 12 bytes');
  expect(openFiles()).toBe(before);
});

describe('a filter', () => {
  const [PASSAGES, DIMENSIONS, WANTED] = [8000, 16, 100];
  const random = randomNumbers(8);
  const vectors = Array.from({ length: PASSAGES }, () => normalized(gaussian(DIMENSIONS, random)));
  const question = normalized(gaussian(DIMENSIONS, random));
  const path = join(temporaryFolder(), 'graph.bin');
  buildGraph(path, vectors);
  let compared = 0;
  const file = openGraph(path, DIMENSIONS);
  const graph: Graph = {
    similarities(query) {
      const similarityOf = file.similarities(query);
      return (ordinal) => {
        compared++;
        return similarityOf(ordinal);
      };
    },
    search: (query, k, ef, allowed) =>
      nearest(file, graph.similarities(query), ef, allowed)
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, k),
  };
  const store = storeOf(
    vectors,
    vectors.map(() => 'en'),
  )(graph);
  const similarityOf = file.similarities(question);
  const farthestFirst = vectors
    .map((_, ordinal) => ordinal)
    .sort((a, b) => similarityOf(a) - similarityOf(b));

  test.each([500, 1001, 2000, 4000, 5600])('of %i passages compares no other passage', async (count) => {
    const matching = farthestFirst.slice(0, count);
    compared = 0;
    const found = await store.nearest(question, WANTED, selectionOf(matching));
    expect(compared).toBe(count);
    expect(new Set(found.map(({ ordinal }) => ordinal))).toEqual(new Set(matching.slice(-WANTED)));
  });

  test('of nearly all passages, and none, search the graph', async () => {
    for (const selection of [undefined, selectionOf(farthestFirst.slice(100))]) {
      compared = 0;
      const found = await store.nearest(question, WANTED, selection);
      expect(compared).toBeLessThan(0.75 * PASSAGES);
      const near = new Set(farthestFirst.slice(-WANTED));
      expect(found.filter(({ ordinal }) => near.has(ordinal)).length).toBeGreaterThan(0.95 * WANTED);
    }
  });
});
