import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type hnswlib from 'hnswlib-node';
import { describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { loadNative } from '../../../index/engine/load-native.ts';
import { nearest } from '../../../index/format/graph-file.ts';
import { readHnswlibFile } from '../../../index/graph/hnswlib-file.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const [COUNT, DIMENSIONS, EF] = [2000, 12, 40];
const random = randomNumbers(30);
const vector = () => normalized(gaussian(DIMENSIONS, random));
const path = join(temporaryFolder(), 'graph.hnsw');

const { HierarchicalNSW } = loadNative<typeof hnswlib>('hnswlib');
const theirs = new HierarchicalNSW('ip', DIMENSIONS);
// The capacity is above the number of points, and labels are in another order than points.
theirs.initIndex(COUNT + 5, 6, 50, 1);
for (let i = 0; i < COUNT; i++) theirs.addPoint(Array.from(vector()), (i * 7) % COUNT);
theirs.setEf(EF);
theirs.writeIndexSync(path);
const bytes = readFileSync(path);
const inParts = (bytes: Uint8Array) => ({
  length: bytes.length,
  read: (start: number, length: number) => bytes.subarray(start, start + length),
});
const ours = readHnswlibFile(inParts(bytes), DIMENSIONS);
const vectors = Array.from({ length: COUNT }, (_, label) => theirs.getPoint(label));

test('links stay on their level', () => {
  const top = ours.links[ours.entry]!.length - 1;
  expect(top).toBeGreaterThan(1);
  for (const [label, levels] of ours.links.entries())
    for (const [level, list] of levels.entries()) {
      expect(list).not.toContain(label);
      for (const other of list) expect(ours.links[other]!.length).toBeGreaterThan(level);
    }
});

describe('a search along its links has the results of hnswlib', () => {
  const links = {
    nodes: COUNT,
    entry: ours.entry,
    top: ours.links[ours.entry]!.length - 1,
    neighbors: (node: number, level: number) => ours.links[node]![level]!,
  };

  test.each([
    ['without a filter', undefined],
    ['with a filter', (label: number) => label % 5 === 0],
  ])('%s', (_, allowed) => {
    for (let i = 0; i < 100; i++) {
      const question = vector();
      const found = nearest(links, (node) => dot(question, vectors[node]!), EF, allowed);
      const { neighbors } = theirs.searchKnn(Array.from(question), EF, allowed);
      const ordinals = found.map(({ ordinal }) => ordinal);
      expect(new Set(ordinals)).toEqual(new Set(neighbors));
      expect(ordinals).toHaveLength(neighbors.length);
    }
  });
});

describe('refuses', () => {
  const refused = (bytes: Uint8Array, dimensions = DIMENSIONS) =>
    expect(() => readHnswlibFile(inParts(bytes), dimensions));
  const size = 4 + 4 * 12 + 4 * DIMENSIONS + 8;
  const element = (i: number) => 96 + i * size;
  /** Copies the file, and writes a 32-bit number at this position. */
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(bytes);
    copy.writeInt32LE(value, at);
    return copy;
  };

  test('a truncated or extended file', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        refused(bytes.subarray(0, length)).toThrow(
          /^hnswlib wrote an unexpected file of \d+ bytes: it ends before/,
        );
      }),
    );
    refused(Buffer.concat([bytes, Buffer.alloc(4)])).toThrow(/its length is \d+ instead of \d+\.$/);
  });

  test('other dimensions', () => {
    refused(bytes, DIMENSIONS + 1).toThrow('label_offset_ is 100 instead of 104.');
  });

  test.each<[string, number, number, string]>([
    ['another offset', 0, 8, 'offsetLevel0_ is 8 instead of 0'],
    ['another list capacity', 64, 13, 'offsetData_ is 52 instead of 56'],
    ['a missing entry point', 52, COUNT, `a link leads to element ${COUNT} of ${COUNT}`],
    ['an entry point below the top level', 48, 9, 'the number of levels of the entry point is'],
    ['a deleted point', element(3), 0x10001, 'the point with label 21 is deleted'],
    ['a list that is too long', element(3), 13, 'a list of at most 12 links has 13'],
    ['a link out of range', element(3) + 4, COUNT, `a link leads to element ${COUNT} of ${COUNT}`],
    ['a repeated label', element(3) + size - 8, 14, 'label 14 of 2000 is out of range or occurs twice'],
    [
      'a label out of range',
      element(3) + size - 8,
      COUNT,
      `label ${COUNT} of ${COUNT} is out of range or occurs twice`,
    ],
    ['an incomplete list', element(COUNT), 30, 'upper levels'],
  ])('%s', (_, at, value, sentence) => {
    refused(changed(at, value)).toThrow(sentence);
  });

  test('any changed bytes give an error, or a graph whose links are in range', () => {
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 4),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        (at, value) => {
          let read: ReturnType<typeof readHnswlibFile>;
          try {
            read = readHnswlibFile(inParts(changed(at, value)), DIMENSIONS);
          } catch (error) {
            expect((error as Error).message).toMatch(/^hnswlib wrote an unexpected file of \d+ bytes: .+\.$/);
            return;
          }
          expect(read.links).toHaveLength(COUNT);
          expect(read.links.flat(2).every((label) => label < COUNT)).toBe(true);
        },
      ),
    );
  });
});
