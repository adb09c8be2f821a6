import type { Answer } from '../../index/search/answer.ts';

/** An answer without the last results that would make its JSON longer than this many characters (UTF-16 code units). The first result always stays. */
export function within(maxCharacters: number, answer: Answer): Answer {
  const { results } = answer;
  if (results.length < 2 || JSON.stringify(answer).length <= maxCharacters) return answer;
  let length = JSON.stringify({ ...answer, results: [], omitted: results.length }).length;
  const tooMany = results.findIndex((result, i) => {
    // With the comma before the next one.
    length += JSON.stringify(result).length + 1;
    return i > 0 && length > maxCharacters;
  });
  return { ...answer, results: results.slice(0, tooMany), omitted: results.length - tooMany };
}
