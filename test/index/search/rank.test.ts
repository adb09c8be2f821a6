import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import type { Graph } from '../../../index/format/graph-file.ts';
import { quantized, SentenceVectors } from '../../../index/format/sentences-file.ts';
import { RANKING, rank } from '../../../index/search/rank.ts';
import { sentencesFile } from '../../fixtures/files.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const PASSAGES = 1200;
const DIMENSIONS = 16;

const random = randomNumbers(3);
const vectors = Array.from({ length: PASSAGES }, () => normalized(gaussian(DIMENSIONS, random)));
const vector = normalized(gaussian(DIMENSIONS, random));
const path = join(temporaryFolder(), 'sentences.bin');
writeFileSync(path, sentencesFile(vectors.map((one) => [quantized(one)])));
const sentences = new SentenceVectors(path, DIMENSIONS);
afterAll(() => sentences.close());

/** A graph that finds these ordinals only. A disconnected graph may miss any passage. */
function finding(ordinals: number[]): Graph {
  const similarities = (query: Float32Array) => (ordinal: number) => dot(query, vectors[ordinal]!);
  return {
    similarities,
    search: (query) => ordinals.map((ordinal) => ({ ordinal, similarity: similarities(query)(ordinal) })),
  };
}

/** Two languages. One is 0.1 nearer to the question. */
const typicality = { index: 0.05, ofLanguage: (ordinal: number) => (ordinal % 2) / 10 };
const nearest = [...vectors.keys()].sort((a, b) => dot(vectors[b]!, vector) - dot(vectors[a]!, vector));
const ranked = (graph: Graph, k: number, allowed?: number[], shares = new Map<number, number>()) =>
  rank({ k, graph, sentences, typicality, languageOf: () => 0, passages: PASSAGES, vector, shares, allowed });

describe('all passages are compared if the graph finds too few', () => {
  test.each([
    ['without a filter', undefined],
    [
      'with a filter that more than 1,000 passages match',
      [...vectors.keys()].filter((ordinal) => ordinal !== nearest[0]),
    ],
  ])('%s', async (_, allowed) => {
    const [best] = await ranked(finding([7, 8]), 1, allowed);
    expect(best!.ordinal).toBe(allowed ? nearest[1] : nearest[0]);
    expect(await ranked(finding([]), 100, allowed)).toHaveLength(100);
  });
});

test('the graph is not used if at most 1,000 passages match a filter', async () => {
  const allowed = nearest.slice(5, 1005).sort((a, b) => a - b);
  const [first] = await ranked(finding(nearest.slice(-100)), 1, allowed);
  expect(first!.ordinal).toBe(nearest[5]);
});

test('a passage outside the graph’s results can be a candidate by its words', async () => {
  const graph = finding(nearest.slice(0, 100));
  const other = nearest[110]!;
  const find = async (shares: Map<number, number>) =>
    (await ranked(graph, 100, undefined, shares)).find(({ ordinal }) => ordinal === other);
  expect(await find(new Map())).toBeUndefined();
  const { score, parts } = (await find(new Map([[other, 1]])))!;
  expect(parts.lexical).toBe(RANKING.lexicalWeight);
  expect(parts.passage).toBe(dot(vector, vectors[other]!));
  const { indexWeight, languageWeight } = RANKING;
  const typical = -indexWeight * 0.05 - languageWeight * ((other % 2) / 10 - 0.05);
  expect(parts.typical).toBeCloseTo(typical, 12);
  expect(score).toBe(parts.passage + parts.sentence + parts.lexical + parts.typical);
});

test('equal scores are ordered by ordinal', async () => {
  const shares = new Map([
    [9, 0.5],
    [4, 0.5],
    [6, 0.7],
  ]);
  const lexical = {
    k: 3,
    graph: finding([]),
    sentences,
    typicality,
    languageOf: () => 0,
    passages: PASSAGES,
    shares,
  };
  expect((await rank(lexical)).map(({ ordinal }) => ordinal)).toEqual([6, 4, 9]);
  expect((await rank({ ...lexical, allowed: [9, 10] })).map(({ ordinal }) => ordinal)).toEqual([9]);
});
