import { join } from 'node:path';
import { expect } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { type Graph, openGraph } from '../../../index/format/graph-file.ts';
import { Candidates } from '../../../index/search/candidates.ts';
import { rank } from '../../../index/search/rank.ts';
import { NEAREST } from '../../../index/store/bundle-store.ts';
import { buildGraph } from '../../fixtures/files.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';
import { storeOf } from '../../fixtures/store.ts';

const QUESTIONS = 100;
const K = 10;
const DIMENSIONS = 384;

const folder = temporaryFolder();
const random = randomNumbers(20);
/** All vectors share this component, because the cosines of a real model are between .7 and 1, not around 0. */
const common = gaussian(DIMENSIONS, random);

/** A vector near a random centre. Cosines are about .95 within a cluster and .8 across clusters. */
function near(centres: readonly Float32Array[]): Float32Array {
  const centre = centres[Math.floor(random() * centres.length)]!;
  const noise = gaussian(DIMENSIONS, random);
  return normalized(noise.map((value, i) => 2 * common[i]! + 0.85 * centre[i]! + 0.5 * value));
}

/** A graph that compares all vectors exhaustively. */
function exhaustive(vectors: Float32Array[]): Graph {
  const similarities = (query: Float32Array) => (ordinal: number) => {
    const other = vectors[ordinal]!;
    let sum = 0;
    for (let i = 0; i < DIMENSIONS; i++) sum += query[i]! * other[i]!;
    return sum;
  };
  return {
    similarities,
    search: (query, k) =>
      vectors
        .map((_, ordinal) => ({ ordinal, similarity: similarities(query)(ordinal) }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, k),
  };
}

/** Checks that ranking with the graph finds at least .99 of the ten best of this many vectors, in clusters of about ten. */
export async function expectRecall(passages: number): Promise<void> {
  const centres = Array.from({ length: passages / 10 }, () => gaussian(DIMENSIONS, random));
  const vector = () => near(centres);
  const vectors = Array.from({ length: passages }, vector);
  // Otherwise the vectors would differ from those of a real model.
  expect(dot(vectors[0]!, vectors[1]!)).toBeGreaterThan(0.7);
  buildGraph(join(folder, 'graph.bin'), vectors);
  const store = storeOf(
    vectors,
    vectors.map(() => 'en'),
  );
  const through = openGraph(join(folder, 'graph.bin'), DIMENSIONS);
  const exact = exhaustive(vectors);
  let [found, nearest] = [0, 0];
  for (let i = 0; i < QUESTIONS; i++) {
    const query = vector();
    const ranking = async (graph: Graph) => {
      const candidates = await Candidates.find(K, {
        store: store(graph),
        vector: query,
        select: async () => undefined,
        scoreTerms: async () => ({ shares: new Map(), idf: new Map() }),
      });
      const ranked = await rank(K, { candidates, typicality: { index: 0, ofLanguage: () => 0 } });
      return ranked.map(({ row }) => row.ordinal);
    };
    const right = new Set(await ranking(exact));
    found += (await ranking(through)).filter((ordinal) => right.has(ordinal)).length;
    const best = new Set(exact.search(query, K, K).map(({ ordinal }) => ordinal));
    nearest += through
      .search(query, K, NEAREST.ef(through.nodes))
      .filter(({ ordinal }) => best.has(ordinal)).length;
  }
  expect(found / (QUESTIONS * K)).toBeGreaterThanOrEqual(0.99);
  // The graph alone, with 8-bit vectors.
  expect(nearest / (QUESTIONS * K)).toBeGreaterThanOrEqual(0.99);
}
