import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSections } from '../../../index/format/container.ts';
import { GRAPH, openGraph } from '../../../index/format/graph-file.ts';
import { graphFile } from '../../fixtures/files.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'graph.bin');
const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(0.6, 0.8)];
const query = Float32Array.of(0.8, 0.6);
/** Node 0 is on levels 0 to 2, node 1 on levels 0 and 1, node 2 on level 0. */
const links = [[[1, 2], [1], []], [[0, 2], [0]], [[0, 1]]];

/** Writes a graph and changes one of its sections. */
function damage(section: number, change: (bytes: Buffer) => void): void {
  const bytes = graphFile({ entry: 0, links }, vectors);
  const { buffer, byteOffset, length } = readSections(bytes, GRAPH, path)[section]!;
  change(Buffer.from(buffer, byteOffset, length));
  writeFileSync(path, bytes);
}

const word = (value: number, index: number) => (bytes: Buffer) => bytes.writeUInt32LE(value, 4 * index);
const byte = (value: number, index: number) => (bytes: Buffer) => bytes.writeUInt8(value, index);
const none = () => {};
const open = (dimensions = 2) => openGraph(path, dimensions);
const search = () => open().search(query, 3, 3);
const MESSAGE = /graph\.bin is damaged: .+\. Run npx polyseek index again\.$/;

test('an undamaged graph finds all nodes', () => {
  damage(0, none);
  expect(search().map(({ ordinal }) => ordinal)).toEqual([2, 0, 1]);
});

describe('opening refuses', () => {
  test.each<[string, number, (bytes: Buffer) => void, string]>([
    ['an entry node out of range', 0, word(3, 0), 'its entry node is 3 of 3'],
    ['levels that do not start at 0', 0, word(1, 1), 'its levels start at 1, 2, 3 of 3 nodes'],
    ['levels that are not ascending', 0, word(4, 2), 'its levels start at 0, 4, 3 of 3 nodes'],
    ['levels that end past section 6', 0, word(4, 3), 'its levels start at 0, 2, 4 of 3 nodes'],
    ['a mean direction that is not finite', 1, (bytes) => bytes.fill(255), 'its mean direction contains'],
  ])('%s', (_, section, change, problem) => {
    damage(section, change);
    expect(open).toThrow(problem);
    expect(open).toThrow(MESSAGE);
  });

  test('other dimensions', () => {
    damage(0, none);
    expect(() => open(3)).toThrow('its sections of 16, 8, 24, 6, 28, 12 bytes do not fit 3 dimensions');
  });

  test('a file truncated anywhere', () => {
    damage(0, none);
    const { length } = readFileSync(path);
    for (let size = length - 1; size >= 0; size--) {
      truncateSync(path, size);
      expect(open).toThrow(/^\S+graph\.bin [^\n]+\.$/);
    }
  });
});

describe('a search refuses', () => {
  test.each<[string, number, (bytes: Buffer) => void, string]>([
    ['a list that ends before it starts', 4, word(9, 0), 'list 0 has bytes 9 to 2'],
    ['a list past the end of section 5', 4, word(99, 1), 'list 0 has bytes 0 to 99'],
    ['a link out of range', 5, byte(3, 0), 'list 0 contains node 3 of 3'],
    ['a number that runs past the end of its list', 5, byte(129, 1), 'list 0 contains node'],
    ['numbers that never end', 5, (bytes) => bytes.fill(128), 'list 3 contains node'],
    ['a node without its list', 6, word(2, 0), 'node 0 has no list on level 1'],
    ['a factor that is not finite', 2, (bytes) => bytes.fill(255, 8, 12), 'node 1 of 3 has no valid vector'],
  ])('%s', (_, section, change, problem) => {
    damage(section, change);
    expect(search).toThrow(problem);
    expect(search).toThrow(MESSAGE);
  });

  test('a passage outside the graph', () => {
    damage(0, none);
    expect(() => open().similarities(query)(3)).toThrow('node 3 of 3 has no valid vector');
  });
});
