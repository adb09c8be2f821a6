import { describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import type { Graph } from '../../../index/format/graph-file.ts';
import { Candidates } from '../../../index/search/candidates.ts';
import { RANKING, rank } from '../../../index/search/rank.ts';
import { dot, gaussian, randomNumbers } from '../../fixtures/index.ts';
import { selectionOf, storeOf } from '../../fixtures/store.ts';

const PASSAGES = 1200;
const DIMENSIONS = 16;

const random = randomNumbers(3);
const vectors = Array.from({ length: PASSAGES }, () => normalized(gaussian(DIMENSIONS, random)));
const vector = normalized(gaussian(DIMENSIONS, random));
/** The passages are in two languages. */
const store = storeOf(
  vectors,
  vectors.map((_, i) => (i % 2 === 0 ? 'en' : 'de')),
);

/** A graph that finds these ordinals only. A disconnected graph may miss any passage. */
function finding(ordinals: number[]): Graph {
  const similarities = (query: Float32Array) => (ordinal: number) => dot(query, vectors[ordinal]!);
  return {
    similarities,
    search: (query) => ordinals.map((ordinal) => ({ ordinal, similarity: similarities(query)(ordinal) })),
  };
}

/** One language is 0.1 nearer to the question. */
const typicality = { index: 0.05, ofLanguage: (language: number) => language / 10 };
const nearest = [...vectors.keys()].sort((a, b) => dot(vectors[b]!, vector) - dot(vectors[a]!, vector));
async function ranked(graph: Graph, k: number, allowed?: number[], shares = new Map<number, number>()) {
  const candidates = await Candidates.find(k, {
    store: store(graph),
    vector,
    select: async () => allowed && selectionOf(allowed),
    scoreTerms: async () => ({ shares, idf: new Map() }),
  });
  const found = await rank(k, { candidates, typicality });
  return found.map(({ row, ...rest }) => ({ ordinal: row.ordinal, ...rest }));
}

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
  // It is not among the best 40, whose languages are compared.
  expect(parts.typical).toBeCloseTo(typical, 12);
  expect(score).toBeCloseTo(parts.passage + parts.sentence + parts.lexical + parts.typical, 12);
});

test('of passages outside the graph’s results, only those whose words match about as well as the best within are candidates', async () => {
  const graph = finding(nearest.slice(0, 100));
  const [inside, outside] = [nearest[50]!, nearest[110]!];
  const finds = async (share: number) => {
    const shares = new Map([
      [inside, 0.6],
      [outside, share],
    ]);
    return (await ranked(graph, 101, undefined, shares)).some(({ ordinal }) => ordinal === outside);
  };
  expect(await finds(0.51)).toBe(true);
  expect(await finds(0.49)).toBe(false);
});

test('words do not move a language as a whole ahead of another', async () => {
  const graph = finding(nearest.slice(0, 100));
  const languages = async (shares: Map<number, number>) =>
    (await ranked(graph, 10, undefined, shares)).map(({ ordinal }) => ordinal % 2);
  const german = nearest.slice(0, 100).filter((ordinal) => ordinal % 2 === 1);
  const before = await languages(new Map());
  const after = await languages(new Map(german.map((ordinal) => [ordinal, 0.5])));
  expect(before).toContain(0);
  // The mean of all counts as one more passage of each language, so a little remains.
  expect(Math.abs(after.filter(Boolean).length - before.filter(Boolean).length)).toBeLessThanOrEqual(1);
});

test('equal scores are ordered by ordinal', async () => {
  const shares = new Map([
    [9, 0.5],
    [4, 0.5],
    [6, 0.7],
  ]);
  const lexical = async (allowed?: number[]) => {
    const candidates = await Candidates.find(3, {
      store: store(finding([])),
      select: async () => allowed && selectionOf(allowed),
      scoreTerms: async () => ({ shares, idf: new Map() }),
    });
    return (await rank(3, { candidates })).map(({ row }) => row.ordinal);
  };
  expect(await lexical()).toEqual([6, 4, 9]);
  expect(await lexical([9, 10])).toEqual([9]);
});
