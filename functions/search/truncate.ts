import type { Answer } from '../../index/search/answer.ts';

/**
 * Drops the last results of an answer until its JSON has at most this many characters (UTF-16 code units). The first
 * result always stays, so the verdict on it does too.
 * @returns the answer and its JSON, which takes a while to write
 */
export function truncateToLength(maxCharacters: number, answer: Answer): { answer: Answer; text: string } {
  const { results } = answer;
  const text = JSON.stringify(answer);
  if (results.length < 2 || text.length <= maxCharacters) return { answer, text };
  let length = JSON.stringify({ ...answer, results: [], omitted: results.length }).length;
  const kept = results.findIndex((result, i) => {
    // With the comma before the next one.
    length += JSON.stringify(result).length + 1;
    return i > 0 && length > maxCharacters;
  });
  const shorter = { ...answer, results: results.slice(0, kept), omitted: results.length - kept };
  return { answer: shorter, text: JSON.stringify(shorter) };
}
