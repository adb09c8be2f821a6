import type { Answer, SearchResult } from '../../../index/search/answer.ts';
import { ANSWERED } from '../../../index/search/limits.ts';
import { make } from './dom.ts';
import type { Texts } from './texts.ts';

/** Splits results into likely answers and less certain ones. A lower result is never more certain than a higher one. */
export function splitByConfidence(
  results: readonly SearchResult[],
): [likely: SearchResult[], rest: SearchResult[]] {
  const isLikely = ({ confidence }: SearchResult) => confidence >= ANSWERED;
  return [results.filter(isLikely), results.filter((result) => !isLikely(result))];
}

/** Summary of an answer, which screen readers announce. It is the heading of the first results. */
export function summaryOf({ verdict, results }: Answer, texts: Texts): Node[] {
  const [likely] = splitByConfidence(results);
  if (likely.length > 0)
    return [make('h2', { class: 'count' }, texts.of('likely', { count: likely.length }))];
  const finding = make('h2', {}, texts.of(verdict === 'possible' ? 'possible' : 'none'));
  return [finding, make('p', {}, texts.of(results.length > 0 ? 'closest' : 'noMatch'))];
}

/** The line between likely answers and the less certain results below it. */
export function verdictLine(count: number, texts: Texts): HTMLElement {
  return make('h2', { class: 'count line-between' }, texts.of('lessCertain', { count }));
}
