import { ANSWERED } from './limits.ts';
import type { Answer, Question, Result } from './types.ts';

export interface CiteOptions {
  /** Cites passages with at least this confidence (0 to 1), and no others. Default: the verdict of the search decides. */
  minConfidence?: number;
  /** Maximum number of passages. Default: 3. */
  k?: number;
  /** Previous turns, oldest first, to which the question may refer. */
  history?: NonNullable<Question['history']>;
}

/** The passages from which a chatbot answers. */
export interface Citation {
  verdict: Answer['verdict'];
  /** Best first. With the verdict `none`, those that are closest. */
  passages: Result[];
}

/** Searches for the passages that answer a question of a conversation. `search` sends a question to the endpoint. */
export async function findCited(
  search: (question: Question) => Promise<Answer>,
  question: Omit<Question, 'k' | 'minConfidence' | 'history'>,
  { minConfidence, k = 3, history = [] }: CiteOptions = {},
): Promise<Citation> {
  let found = await search({ ...question, k, minConfidence, history });
  // The history helps only a question that refers to it.
  if (!found.answered && history.length > 0) {
    const alone = await search({ ...question, k, minConfidence });
    if (alone.answered || found.verdict === 'none') found = alone;
  }
  const { verdict, results } = found;
  // Beside a sure answer, only passages that would be one themselves are cited.
  const least = verdict === 'answered' ? (minConfidence ?? ANSWERED) : 0;
  return { verdict, passages: results.filter(({ confidence }, i) => i === 0 || confidence >= least) };
}

/** A quotation for each passage: the first one whole, and the best matching sentence of each other. */
export function quotesOf(passages: readonly Result[]): string[] {
  return passages.map(({ text, highlight }, i) => (i === 0 ? text : highlight.text).trim());
}
