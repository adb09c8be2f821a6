import type { Answer, SearchResult } from '../../index/search/answer.ts';

/** Characters of a result's text that stay, whatever the maximum. */
export const LEAST_TEXT = 200;

/**
 * Drops the last results of an answer until its JSON has at most this many characters (UTF-16 code units). The first
 * result always stays, so the verdict on it does too. If it is too long alone, it is cut, down to 200 characters of text.
 * @returns the answer and its JSON, which takes a while to write
 */
export function truncateToLength(maxCharacters: number, answer: Answer): { answer: Answer; text: string } {
  const { results } = answer;
  const [first] = results;
  const whole = JSON.stringify(answer);
  if (!first || whole.length <= maxCharacters) return { answer, text: whole };
  const keep = (kept: SearchResult[]) => {
    const omitted = results.length - kept.length;
    const shorter = { ...answer, results: kept, ...(omitted > 0 && { omitted }) };
    return { answer: shorter, text: JSON.stringify(shorter) };
  };
  const fits = (kept: SearchResult[]) => keep(kept).text.length <= maxCharacters;
  if (!fits([first])) return keep([cutToFit(first, (cut) => fits([cut]))]);
  return keep(
    results.slice(
      0,
      largest(1, results.length - 1, (count) => fits(results.slice(0, count))),
    ),
  );
}

/** A result without its surroundings and matches, and with as much of its text as fits. */
function cutToFit(whole: SearchResult, fits: (result: SearchResult) => boolean): SearchResult {
  const result = { ...whole, before: undefined, after: undefined, matches: undefined };
  if (fits(result)) return result;
  const { text, highlight } = result;
  const cut = (characters: number): SearchResult => {
    // Not between the halves of a surrogate pair.
    const start = text.slice(0, characters).replace(/[\ud800-\udbff]$/, '');
    const [from, to] = [Math.min(highlight.start, start.length), Math.min(highlight.end, start.length)];
    return {
      ...result,
      text: start.length < text.length ? `${start}…` : text,
      highlight: { text: start.slice(from, to), start: from, end: to },
    };
  };
  return cut(largest(LEAST_TEXT, text.length, (characters) => fits(cut(characters))));
}

/** The largest number that passes a test, which all smaller ones pass too; `least` if none does. */
export function largest(least: number, most: number, passes: (number: number) => boolean): number {
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (passes(middle)) least = middle;
    else most = middle - 1;
  }
  return least;
}
