import type { EvaluationSet } from './set.ts';

/** Passages per article. The passages of a set are in the order of its articles. */
const ARTICLE = 5;
/** Each fold contains one passage of every article. */
export const FOLDS = ARTICLE;

const articleOf = (position: number): number => Math.floor(position / ARTICLE);

/** The articles that parameters are fitted to, and the articles that they are measured on. */
export type Half = 'fit' | 'test';

/**
 * The half of a set's articles for fitting (the first, third, fifth …) or for testing (the others), with the questions that only this
 * half answers. Questions without an answer are divided in turn. In parallel sets, both halves divide every language alike.
 */
export function articleHalf(set: EvaluationSet, half: Half): EvaluationSet {
  const parity = half === 'fit' ? 0 : 1;
  const passages = set.passages.filter((_, position) => articleOf(position) % 2 === parity);
  const ids = new Set(passages.map(({ id }) => id));
  let unanswerable = 0;
  const queries = set.queries.filter(({ relevant }) =>
    relevant.length === 0 ? unanswerable++ % 2 === parity : relevant.every((id) => ids.has(id)),
  );
  return { ...set, passages, queries };
}

/** The ids of the passages that remain without every second article. */
export function withoutEverySecondArticle({ passages }: EvaluationSet): Set<string> {
  return new Set(passages.filter((_, position) => articleOf(position) % 2 === 0).map(({ id }) => id));
}

/** The ids of the passages in a fold, 0 to FOLDS - 1: the passages at this position of their article. */
export function passagesInFold({ passages }: EvaluationSet, fold: number): Set<string> {
  return new Set(passages.filter((_, position) => position % FOLDS === fold).map(({ id }) => id));
}
