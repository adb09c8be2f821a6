import { termsOf } from '../text/terms.ts';
import type { InContext, Turn } from './answer.ts';

/** Up to so many terms, a question is short enough for its history to count as much as the question itself. */
const SHORT = 4;
/** UTF-16 units read of what the user said last, and of what was answered: an answer's first words say what it is about, all of it would drown the question. */
const READ = { user: 200, assistant: 50 };

/**
 * The question as the last exchange before it makes it; undefined where no turn comes before it. A follow-up is short and says little
 * by itself, so that history counts the less the more terms a question has; both texts are searched for and scores added, so
 * that a question that finds its answer by itself keeps it. docs/decisions/0018 lists the alternatives that were measured.
 * @param history oldest first; may end with the question itself, which is passed over
 */
export function inContext(question: string, history: readonly Turn[]): InContext | undefined {
  const last = history.at(-1);
  const before = last?.role === 'user' && last.content.trim() === question ? history.slice(0, -1) : history;
  const asked = before.findLastIndex(({ role }) => role === 'user');
  const exchange = before.slice(asked).slice(0, 2);
  if (exchange.length === 0) return undefined;
  const read = exchange.map(({ role, content }) => content.slice(0, READ[role]).toWellFormed());
  const weight = Math.min(1, SHORT / termsOf(question).length);
  return { text: [question, ...read].join(' '), share: weight / (1 + weight) };
}

/** Two vectors added by their parts. Not scaled to length 1: its scores are then the mean of theirs, for which confidences hold. */
export function mixVectors(own: Float32Array, inContext: Float32Array, share: number): Float32Array {
  return own.map((value, i) => (1 - share) * value + share * inContext[i]!);
}

/** BM25 shares of passages (by ordinal) added by their parts. */
export function mixShares(
  own: ReadonlyMap<number, number>,
  inContext: ReadonlyMap<number, number>,
  share: number,
): Map<number, number> {
  const mixed = new Map(Array.from(inContext, ([ordinal, value]) => [ordinal, share * value]));
  for (const [ordinal, value] of own) mixed.set(ordinal, (mixed.get(ordinal) ?? 0) + (1 - share) * value);
  return mixed;
}
