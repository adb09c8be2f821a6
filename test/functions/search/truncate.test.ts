import fc from 'fast-check';
import { expect, test } from 'vitest';
import { truncateToLength } from '../../../functions/search/truncate.ts';
import type { Answer, SearchResult } from '../../../index/search/answer.ts';
import { runs } from '../../fixtures/runs.ts';

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
      expect(results.slice(1)).toEqual(all.slice(1, results.length));
      expect(results.length + (omitted ?? 0)).toBe(all.length);

      /** The characters of the answer with only the first results. */
      const lengthWith = (count: number) => {
        const left = all.length - count;
        return JSON.stringify({ ...answer, results: all.slice(0, count), ...(left > 0 && { omitted: left }) })
          .length;
      };
      // The first result is cut only if it is too long alone.
      if (all.length > 0 && lengthWith(1) <= most) expect(results[0]).toEqual(all[0]);
      if (results.length > 1) expect(lengthWith(results.length)).toBeLessThanOrEqual(most);
      // The count may include a comma and the digits of `omitted`, which one more result would not need.
      if (omitted)
        expect(Math.max(lengthWith(results.length + 1), lengthWith(all.length))).toBeGreaterThan(most - 4);
      if (lengthWith(all.length) <= most || all.length < 2) expect(omitted).toBeUndefined();
      else expect(results.length).toBeGreaterThan(0);
    }),
    { numRuns: runs(300) },
  );
});

test('cuts a first result that is too long alone', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3000 }),
    fc.constantFrom('\n'.repeat(100_000), '😀'.repeat(5000)),
  );
  const texts = fc.tuple(text, fc.constantFrom('', 'b'));
  fc.assert(
    fc.property(texts, fc.nat(), fc.integer({ min: 1, max: 9000 }), ([long, other], from, most) => {
      const answer = answerOf([long, ...(other ? [other] : [])]);
      const [first] = answer.results;
      const start = from % (long.length + 1);
      Object.assign(first!, {
        highlight: { text: long.slice(start), start, end: long.length },
        before: [{ id: 'b', text: long }],
        matches: [{ query: [0, 1], text: [0, 1], weight: 1 }],
      });
      const { answer: found, text: json } = truncateToLength(most, answer);
      const [cut] = found.results;
      const { text: kept, highlight } = cut!;
      expect(kept === long || (kept.endsWith('…') && long.startsWith(kept.slice(0, -1)))).toBe(true);
      // No pair of surrogates is split.
      if (long.isWellFormed()) expect(kept.isWellFormed()).toBe(true);
      expect(kept.slice(highlight.start, highlight.end)).toBe(highlight.text);
      expect(found.results.length + (found.omitted ?? 0)).toBe(answer.results.length);
      expect(found.verdict).toBe(answer.verdict);
      // 200 characters of text stay, and of the highlight: at most 6 characters of JSON each.
      const least = JSON.stringify({ ...answer, results: [], omitted: 1 }).length + 250 + 2 * 6 * 200;
      expect(json.length).toBeLessThanOrEqual(Math.max(most, least));
      if (json.length > most) expect(kept.length).toBeLessThanOrEqual(201);
    }),
    { numRuns: runs(200) },
  );
});
