import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import type { Graph } from '../../../index/format/graph-file.ts';
import { quantized, SentenceVectors, writeSentences } from '../../../index/format/sentences-file.ts';
import { INDEX_WEIGHT, LANGUAGE_WEIGHT, LEXICAL_WEIGHT, rank } from '../../../index/search/rank.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const PASSAGES = 1200;
const DIMENSIONS = 16;

const random = randomNumbers(3);
const vectors = Array.from({ length: PASSAGES }, () => normalized(gaussian(DIMENSIONS, random)));
const vector = normalized(gaussian(DIMENSIONS, random));
const path = join(temporaryFolder(), 'sentences.bin');
writeFileSync(path, writeSentences(vectors.map((one) => [quantized(one)])));
const sentences = new SentenceVectors(path, DIMENSIONS);
afterAll(() => sentences.close());

/** A graph that finds these ordinals alone, whatever is asked: one that is not connected may miss any. */
function finding(ordinals: number[]): Graph {
  const similarities = (query: Float32Array) => (ordinal: number) => dot(query, vectors[ordinal]!);
  return {
    similarities,
    search: (query) => ordinals.map((ordinal) => ({ ordinal, similarity: similarities(query)(ordinal) })),
  };
}

/** Of two languages, one is a tenth nearer to the question. */
const typicality = { index: 0.05, ofLanguage: (ordinal: number) => (ordinal % 2) / 10 };
const nearest = [...vectors.keys()].sort((a, b) => dot(vectors[b]!, vector) - dot(vectors[a]!, vector));
const ranked = (graph: Graph, k: number, allowed?: number[], shares = new Map<number, number>()) =>
  rank({ k, graph, sentences, typicality, passages: PASSAGES, vector, shares, allowed });

describe('where the graph finds fewer passages than there are, all are compared', () => {
  test.each([
    ['without a filter', undefined],
    ['with one that leaves more than 1,000', [...vectors.keys()].filter((ordinal) => ordinal !== nearest[0])],
  ])('%s', (_, allowed) => {
    const best = ranked(finding([7, 8]), 1, allowed)[0]!;
    expect(best.ordinal).toBe(allowed ? nearest[1] : nearest[0]);
    expect(ranked(finding([]), 100, allowed)).toHaveLength(100);
  });
});

test('a filter that leaves at most 1,000 is searched without the graph', () => {
  const allowed = nearest.slice(5, 1005).sort((a, b) => a - b);
  expect(ranked(finding(nearest.slice(-100)), 1, allowed)[0]!.ordinal).toBe(nearest[5]);
});

test('a passage that the graph does not propose is a candidate by its words', () => {
  const graph = finding(nearest.slice(0, 100));
  const other = nearest[110]!;
  const find = (shares: Map<number, number>) =>
    ranked(graph, 100, undefined, shares).find(({ ordinal }) => ordinal === other);
  expect(find(new Map())).toBeUndefined();
  const { score, parts } = find(new Map([[other, 1]]))!;
  expect(parts.lexical).toBe(LEXICAL_WEIGHT);
  expect(parts.passage).toBe(dot(vector, vectors[other]!));
  const { index, ofLanguage } = typicality;
  expect(parts.typical).toBeCloseTo(
    -INDEX_WEIGHT * index - LANGUAGE_WEIGHT * (ofLanguage(other) - index),
    12,
  );
  expect(score).toBe(parts.passage + parts.sentence + parts.lexical + parts.typical);
});

test('equal scores are in order of their ordinals', () => {
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
    passages: PASSAGES,
    shares,
  };
  expect(rank(lexical).map(({ ordinal }) => ordinal)).toEqual([6, 4, 9]);
  expect(rank({ ...lexical, allowed: [9, 10] }).map(({ ordinal }) => ordinal)).toEqual([9]);
});
