import { join } from 'node:path';
import type { Answer } from '../../index/search/answer.ts';
import { searchEvent } from './event.ts';
import { timedModule } from './processes.ts';

/** Nearest passages requested. */
const K = 10;
/** Results requested, to choose the nearest from: their order also depends on sentences and languages. */
const LISTED = '100';
/** Cosines that differ by less count as equal: the function's sums differ in the last digits. */
const TIE = 1e-6;

/** A text with its id (passages) and its vector of length 1. */
export interface Embedded {
  id: string;
  vector: Float32Array;
}

/** A question with its vector. */
export interface Question {
  text: string;
  vector: Float32Array;
}

/**
 * Returns the recall@10 of a packaged function's graph against exact search, over all questions. It requests 100 semantic results with
 * the parts of their scores, and orders them by the passage's cosine.
 */
export async function recallAt10(
  folder: string,
  passages: readonly Embedded[],
  questions: readonly Question[],
): Promise<number> {
  const polyseek = timedModule(join(folder, 'lambda.mjs'));
  const vectors = new Map(passages.map(({ id, vector }) => [id, vector]));
  const shares: number[] = [];
  try {
    for (const { text, vector } of questions) {
      const event = searchEvent(text, { mode: 'semantic', k: LISTED, explain: 'true' });
      const [answer] = (await polyseek.answers('handler', [event])) as [{ body: string }];
      const { results } = JSON.parse(answer.body) as Answer;
      const nearest = results.toSorted((a, b) => b.explain!.passage - a.explain!.passage).slice(0, K);
      const tenth = kth(passages.map((passage) => dot(passage.vector, vector)));
      const right = nearest.filter(({ id }) => dot(vectors.get(id)!, vector) >= tenth - TIE);
      shares.push(right.length / Math.min(K, passages.length));
    }
  } finally {
    await polyseek.stop();
  }
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** Returns the K-th largest value. */
function kth(values: readonly number[]): number {
  return Float64Array.from(values).sort()[Math.max(0, values.length - K)]!;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
