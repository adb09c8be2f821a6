import type { Answer, SearchResult } from '../../index/search/answer.ts';

/** Characters of the first result's text that stay, whatever the maximum. */
const LEAST_TEXT = 200;

/**
 * Drops the last results of an answer until its JSON has at most this many characters (UTF-16 code units). The first
 * result always stays, so the verdict on it does too. If it is too long alone, it is cut, down to 200 characters of text.
 * @returns the answer and its JSON, which takes a while to write
 */
export function truncateToLength(maxCharacters: number, answer: Answer): { answer: Answer; text: string } {
  const { results } = answer;
  const [first] = results;
  const text = JSON.stringify(answer);
  if (!first || text.length <= maxCharacters) return { answer, text };
  const only = (result: SearchResult) => ({
    ...answer,
    results: [result],
    ...(results.length > 1 && { omitted: results.length - 1 }),
  });
  let length = JSON.stringify(only(first)).length;
  if (length > maxCharacters) {
    const shorter = only(cutToFit(first, (cut) => JSON.stringify(only(cut)).length <= maxCharacters));
    return { answer: shorter, text: JSON.stringify(shorter) };
  }
  const kept = results.findIndex((result, i) => {
    // With the comma before it.
    if (i > 0) length += JSON.stringify(result).length + 1;
    return length > maxCharacters;
  });
  const shorter = { ...answer, results: results.slice(0, kept), omitted: results.length - kept };
  return { answer: shorter, text: JSON.stringify(shorter) };
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
  let [least, most] = [LEAST_TEXT, text.length];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(cut(middle))) least = middle;
    else most = middle - 1;
  }
  return cut(least);
}
