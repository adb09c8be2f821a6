import fc from 'fast-check';
import { expect, test } from 'vitest';
import { truncateToLength } from '../../../functions/search/truncate.ts';
import type { Answer, SearchResult } from '../../../index/search/answer.ts';

function answerOf(texts: string[]): Answer {
  const results = texts.map((text, i): SearchResult => {
    const highlight = { text, start: 0, end: text.length };
    return { id: `${i}`, text, title: 'T', source: 's', lang: 'en', score: 1, confidence: 0.5, highlight };
  });
  const index = { version: 'v', passages: 1, model: 'm' };
  return {
    q: 'x',
    verdict: 'answered',
    answered: true,
    results,
    took: { embedMs: 0, searchMs: 0, totalMs: 0 },
    index,
  };
}

test('keeps as many results as fit, and always the first with its verdict', () => {
  // Includes characters that JSON escapes.
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 120 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 40_000 }), (list, most) => {
      const answer = answerOf(list);
      const found = truncateToLength(most, answer);
      expect(JSON.parse(found.text)).toEqual(JSON.parse(JSON.stringify(found.answer)));
      const { results, omitted, ...rest } = found.answer;
      const { results: all, ...restOfAll } = answer;
      expect(rest).toEqual(restOfAll);
      expect(results).toEqual(all.slice(0, results.length));
      expect(results.length + (omitted ?? 0)).toBe(all.length);

      /** The characters of the answer with only the first results. */
      const lengthWith = (count: number) => {
        const left = all.length - count;
        return JSON.stringify({ ...answer, results: all.slice(0, count), ...(left > 0 && { omitted: left }) })
          .length;
      };
      if (results.length > 1) expect(lengthWith(results.length)).toBeLessThanOrEqual(most);
      // The count may include a comma and the digits of `omitted`, which one more result would not need.
      if (omitted)
        expect(Math.max(lengthWith(results.length + 1), lengthWith(all.length))).toBeGreaterThan(most - 4);
      if (lengthWith(all.length) <= most || all.length < 2) expect(omitted).toBeUndefined();
      else expect(results.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
