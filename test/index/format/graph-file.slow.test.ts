import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { readSections } from '../../../index/format/container.ts';
import { GRAPH, openGraph } from '../../../index/format/graph-file.ts';
import { buildGraph, graphFile } from '../../fixtures/files.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const path = join(folder, 'graph.bin');

/** Unit vectors that share a direction, as embeddings do. */
function vectorsOf(count: number, dimensions: number, seed: number): Float32Array[] {
  const random = randomNumbers(seed);
  const common = gaussian(dimensions, random);
  return Array.from({ length: count }, () =>
    normalized(gaussian(dimensions, random).map((value, i) => value + 2 * common[i]!)),
  );
}

function open(vectors: readonly Float32Array[]) {
  buildGraph(path, vectors);
  return openGraph(path, vectors[0]!.length);
}

/** Decodes the vectors of the file as FORMAT.md describes: a d + s r. */
function stored(dimensions: number): number[][] {
  const [, direction, parts, numbers] = readSections(readFileSync(path), GRAPH, 'graph.bin');
  const float = (bytes: Uint8Array, i: number) => Buffer.from(bytes).readFloatLE(4 * i);
  return Array.from({ length: parts!.length / 8 }, (_, ordinal) =>
    Array.from({ length: dimensions }, (_, i) => {
      const r = Buffer.from(numbers!).readInt8(ordinal * dimensions + i);
      return float(parts!, 2 * ordinal) * float(direction!, i) + float(parts!, 2 * ordinal + 1) * r;
    }),
  );
}

const anyVectors = fc
  .record({
    count: fc.integer({ min: 1, max: 60 }),
    dimensions: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(),
  })
  .map(({ count, dimensions, seed }) => ({ dimensions, seed, vectors: vectorsOf(count, dimensions, seed) }));

describe('any vectors', () => {
  test('are stored in order, and each number is off by at most half an 8-bit step', () => {
    fc.assert(
      fc.property(anyVectors, ({ dimensions, vectors }) => {
        buildGraph(path, vectors);
        const kept = stored(dimensions);
        expect(kept).toHaveLength(vectors.length);
        for (const [ordinal, vector] of vectors.entries())
          for (const [i, value] of vector.entries())
            expect(Math.abs(kept[ordinal]![i]! - value)).toBeLessThan(0.008);
      }),
    );
  });

  test('have the cosines of the stored vectors, and search returns exactly those of similarities', () => {
    fc.assert(
      fc.property(anyVectors, ({ dimensions, seed, vectors }) => {
        const graph = open(vectors);
        const kept = stored(dimensions);
        const [question] = vectorsOf(1, dimensions, seed + 1);
        const found = graph.search(question!, 10, 20);
        expect(found.length).toBeGreaterThan(0);
        for (const { ordinal, similarity } of found) {
          expect(similarity).toBe(graph.similarities(question!)(ordinal));
          expect(similarity).toBeCloseTo(dot(question!, kept[ordinal]!), 4);
        }
        expect(new Set(found.map(({ ordinal }) => ordinal)).size).toBe(found.length);
        const similarities = found.map(({ similarity }) => similarity);
        expect(similarities).toEqual(similarities.toSorted((a, b) => b - a));
      }),
    );
  });

  test('keep their component along the mean direction despite rounding', () => {
    fc.assert(
      fc.property(anyVectors, ({ dimensions, vectors }) => {
        buildGraph(path, vectors);
        const mean = new Float32Array(dimensions).map((_, i) =>
          vectors.reduce((sum, one) => sum + one[i]!, 0),
        );
        // Vectors that cancel each other out have no mean direction.
        fc.pre(Math.hypot(...mean) > 0.01);
        const direction = normalized(mean);
        for (const [ordinal, kept] of stored(dimensions).entries())
          expect(dot(kept, direction)).toBeCloseTo(dot(vectors[ordinal]!, direction), 5);
      }),
    );
  });

  test('always give the same bytes, and leave no other file', () => {
    fc.assert(
      fc.property(anyVectors, ({ vectors }) => {
        buildGraph(path, vectors);
        const first = readFileSync(path);
        buildGraph(path, vectors);
        expect(readFileSync(path).equals(first)).toBe(true);
        expect(readdirSync(folder)).toEqual(['graph.bin']);
      }),
    );
  });
});

test('links on all levels are read in ascending order', () => {
  /** The top level of each node, from 0, and the targets of its links, as fractions of the nodes on a level. */
  const nodes = fc.array(
    fc.record({
      level: fc.nat(4),
      to: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 400 },
  );
  fc.assert(
    fc.property(nodes, (drawn) => {
      const top = Math.max(...drawn.map(({ level }) => level));
      const onLevel = Array.from({ length: top + 1 }, (_, level) =>
        [...drawn.keys()].filter((node) => drawn[node]!.level >= level),
      );
      const links = drawn.map(({ level, to }) =>
        onLevel
          .slice(0, level + 1)
          .map((there) => [...new Set(to.map((fraction) => there[Math.floor(fraction * there.length)]!))]),
      );
      const entry = drawn.findIndex(({ level }) => level === top);
      writeFileSync(path, graphFile({ entry, links }, vectorsOf(drawn.length, 3, 1)));
      const graph = openGraph(path, 3);
      expect([graph.nodes, graph.entry, graph.top]).toEqual([drawn.length, entry, top]);
      for (const [node, levels] of links.entries())
        for (const [level, list] of levels.entries())
          expect(graph.neighbors(node, level)).toEqual(list.toSorted((a, b) => a - b));
    }),
  );
});

describe('3,000 vectors of 64 dimensions', () => {
  const [dimensions, count] = [64, 3000];
  const vectors = vectorsOf(count, dimensions, 5);
  const questions = vectorsOf(20, dimensions, 6);
  const graph = open(vectors);

  /** The ordinals of the k nearest vectors by exhaustive search. */
  function exact(
    similarity: (ordinal: number) => number,
    k: number,
    allowed = (_: number) => true,
  ): number[] {
    return [...vectors.keys()]
      .filter(allowed)
      .map((ordinal) => ({ ordinal, similarity: similarity(ordinal) }))
      .sort((a, b) => b.similarity - a.similarity || a.ordinal - b.ordinal)
      .slice(0, k)
      .map(({ ordinal }) => ordinal);
  }
  const search = (question: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean) =>
    graph.search(question, k, ef, allowed).map(({ ordinal }) => ordinal);

  test.each([
    ['no filter', undefined],
    ['a filter that matches every third', (ordinal: number) => ordinal % 3 === 0],
    ['a filter that matches seven', (ordinal: number) => ordinal % 500 === 499 || ordinal === 0],
    ['a filter that matches none', () => false],
  ])('with %s, and all nodes as candidates, search finds the same as exhaustive search', (_, allowed) => {
    for (const question of questions) {
      const right = exact(graph.similarities(question), 50, allowed);
      expect(search(question, 50, count, allowed)).toEqual(right);
    }
  });

  test('with a filter and few candidates, search finds only matches, and as many as requested', () => {
    const even = (ordinal: number) => ordinal % 2 === 0;
    for (const question of questions) {
      const found = search(question, 10, 50, even);
      expect(found).toHaveLength(10);
      expect(found.every(even)).toBe(true);
    }
  });

  test('at least 99 % of the vectors are nearest to themselves', () => {
    const found = vectors.filter((vector, ordinal) => search(vector, 1, 50)[0] === ordinal);
    expect(found.length / count).toBeGreaterThanOrEqual(0.99);
  });

  test('k above ef still finds k nodes', () => {
    expect(search(questions[0]!, 30, 1)).toHaveLength(30);
  });

  test('two queries can be compared alternately', () => {
    const [first, second] = [questions[0]!, questions[1]!];
    const expected = [first, second].map((question) => {
      const similarity = graph.similarities(question);
      return [0, 1, 2].map((ordinal) => similarity(ordinal));
    });
    const similarities = [first, second].map((question) => graph.similarities(question));
    const before = search(first, 10, 50);
    for (const ordinal of [0, 1, 2])
      for (const [i, similarity] of similarities.entries()) {
        expect(similarity(ordinal)).toBe(expected[i]![ordinal]);
        // Another query runs a whole search in between.
        search(questions[2]!, 5, 20);
      }
    expect(search(first, 10, 50)).toEqual(before);
  });
});

describe('degenerate graphs', () => {
  test('one vector', () => {
    const graph = open([Float32Array.of(0.6, 0.8)]);
    expect(graph.search(Float32Array.of(0.6, 0.8), 5, 10)).toEqual([
      { ordinal: 0, similarity: expect.closeTo(1, 5) },
    ]);
  });

  test('two opposite vectors have no mean direction', () => {
    const graph = open([Float32Array.of(0, 1, 0), Float32Array.of(0, -1, 0)]);
    expect(graph.search(Float32Array.of(0, -1, 0), 5, 10)).toEqual([
      { ordinal: 1, similarity: expect.closeTo(1, 5) },
      { ordinal: 0, similarity: expect.closeTo(-1, 5) },
    ]);
  });

  test('equal vectors are all found, in order of ordinal', () => {
    const [vector] = vectorsOf(1, 24, 8);
    const found = open(Array<Float32Array>(20).fill(vector!)).search(vector!, 20, 20);
    expect(found.map(({ ordinal }) => ordinal)).toEqual([...Array(20).keys()]);
    for (const { similarity } of found) expect(similarity).toBeCloseTo(1, 5);
  });
});

describe('a damaged file', () => {
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
      [
        'a factor that is not finite',
        2,
        (bytes) => bytes.fill(255, 8, 12),
        'node 1 of 3 has no valid vector',
      ],
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
});
