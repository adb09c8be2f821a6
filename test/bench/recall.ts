import { join } from 'node:path';
import type { Answer } from '../../index/search/answer.ts';
import { searchEvent } from './event.ts';
import { timedModule } from './processes.ts';

/** Nearest passages that are asked for. */
const K = 10;
/** How many the function lists, from which the nearest are taken: its own order counts sentences and languages too. */
const LISTED = '100';
/** Cosines that differ by less are the same: the function's own sums differ in the last digits. */
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
 * Of the ten passages that are nearest by exact search over the vectors, the share that a packaged function's graph finds, over all questions.
 * It is asked as anyone asks it: for 100 passages by meaning, with the parts of their scores, of which the passage's cosine orders them.
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

/** The K-th largest. */
function kth(values: readonly number[]): number {
  return Float64Array.from(values).sort()[Math.max(0, values.length - K)]!;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
