import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EvaluationSet } from '../../../index/evaluate/set.ts';
import {
  articleHalf,
  FOLDS,
  passagesInFold,
  withoutEverySecondArticle,
} from '../../../index/evaluate/set.ts';

/** A set with passages `p0`, `p1` … and a question for each list of relevant passages. */
function setOf(passages: number, relevant: number[][]): EvaluationSet {
  return {
    name: 'en',
    dir: 'en',
    passages: Array.from({ length: passages }, (_, i) => ({ id: `p${i}`, lang: 'en', text: 'x' })),
    queries: relevant.map((positions, i) => ({
      id: `en-q${i}`,
      lang: 'en',
      text: 'x',
      relevant: positions.map((position) => `p${position}`),
    })),
  };
}

const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id);

/** Sets of up to 30 passages, with questions that have up to three relevant passages. */
const sets = fc
  .integer({ min: 1, max: 30 })
  .chain((passages) =>
    fc
      .array(fc.uniqueArray(fc.nat({ max: passages - 1 }), { maxLength: 3 }), { maxLength: 20 })
      .map((relevant) => setOf(passages, relevant)),
  );

test('halves have alternate articles of five passages, and the questions that only they answer', () => {
  const set = setOf(12, [[0], [5], [4, 10], [4, 5], [], [], [], [11]]);
  const fit = articleHalf(set, 'fit');
  expect(ids(fit.passages)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p10', 'p11']);
  expect(ids(fit.queries)).toEqual(['en-q0', 'en-q2', 'en-q4', 'en-q6', 'en-q7']);
  const half = articleHalf(set, 'test');
  expect(ids(half.passages)).toEqual(['p5', 'p6', 'p7', 'p8', 'p9']);
  expect(ids(half.queries)).toEqual(['en-q1', 'en-q5']);
});

test('halves share no passage and no question, and have all passages together', () => {
  fc.assert(
    fc.property(sets, (set) => {
      const [fit, other] = [articleHalf(set, 'fit'), articleHalf(set, 'test')];
      expect(ids([...fit.passages, ...other.passages]).sort()).toEqual(ids(set.passages).sort());
      const queries = ids([...fit.queries, ...other.queries]);
      expect(new Set(queries).size).toBe(queries.length);
      for (const half of [fit, other])
        for (const { relevant } of half.queries)
          for (const id of relevant) expect(ids(half.passages)).toContain(id);
    }),
  );
});

test('every second article of five passages is left out', () => {
  const kept = withoutEverySecondArticle(setOf(17, []));
  expect([...kept]).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p10', 'p11', 'p12', 'p13', 'p14']);
});

test('folds contain each passage once, and one passage of each whole article', () => {
  fc.assert(
    fc.property(sets, (set) => {
      const folds = Array.from({ length: FOLDS }, (_, fold) => [...passagesInFold(set, fold)]);
      expect(folds.flat().sort()).toEqual(ids(set.passages).sort());
      const articles = Math.floor(set.passages.length / 5);
      for (const fold of folds) {
        const whole = fold.map((id) => Math.floor(Number(id.slice(1)) / 5)).filter((i) => i < articles);
        expect(whole).toEqual(Array.from({ length: articles }, (_, i) => i));
      }
    }),
  );
});
