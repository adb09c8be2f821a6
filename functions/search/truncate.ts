import type { Answer } from '../../index/search/answer.ts';

/**
 * An answer without the last results that would make its JSON longer than this many characters (UTF-16 code units), and that JSON, which takes a while
 * to write. The first result always stays.
 */
export function within(maxCharacters: number, answer: Answer): { answer: Answer; text: string } {
  const { results } = answer;
  const text = JSON.stringify(answer);
  if (results.length < 2 || text.length <= maxCharacters) return { answer, text };
  let length = JSON.stringify({ ...answer, results: [], omitted: results.length }).length;
  const tooMany = results.findIndex((result, i) => {
    // With the comma before the next one.
    length += JSON.stringify(result).length + 1;
    return i > 0 && length > maxCharacters;
  });
  const shorter = { ...answer, results: results.slice(0, tooMany), omitted: results.length - tooMany };
  return { answer: shorter, text: JSON.stringify(shorter) };
}
