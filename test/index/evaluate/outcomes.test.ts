import { expect, test } from 'vitest';
import { nearTopic, type Outcome, unanswerable } from '../../../index/evaluate/outcomes.ts';
import { articleHalf } from '../../../index/evaluate/set.ts';
import { withIndex } from '../../../index/evaluate/temporary-index.ts';
import { articleSet, articleWord, lexicalBuilder, ownWord } from '../../fixtures/evaluation.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const builder = lexicalBuilder();
const count = (outcomes: readonly Outcome[], test: (one: Outcome) => boolean) => outcomes.filter(test).length;

test('without every second article, its questions have no answer and the others find theirs', async () => {
  const set = await articleSet(`${folder}/articles`, 'en', [['none', articleWord(0), []]]);
  const outcomes = await unanswerable(builder(), set);
  expect(outcomes.map(({ question }) => question.id)).toEqual(set.queries.map(({ id }) => id));
  for (const [i, { answerable, correct, score }] of outcomes.slice(0, 15).entries()) {
    const kept = i < 5 || i >= 10;
    expect({ i, answerable, correct }).toEqual({ i, answerable: kept, correct: kept });
    // No other article contains the words of the article that is left out.
    expect(score > 0, String(i)).toBe(kept);
  }
  expect(outcomes[15]).toMatchObject({ answerable: false, correct: false });
});

test('near-topic questions lose only the passages that answer them', async () => {
  const set = await articleSet(`${folder}/near`, 'en', [
    ['both', `${ownWord(0)} ${ownWord(1)}`, [0, 1]],
    ['same', `${ownWord(0)} ${ownWord(5)}`, [0, 5]],
    ['none', articleWord(2), []],
  ]);
  const outcomes = await nearTopic(builder(), set);
  const of = (id: string) => outcomes.filter(({ question }) => question.id === `en-${id}`);
  for (let i = 0; i < 15; i++) {
    const [whole, without] = of(`q${i}`) as [Outcome, Outcome];
    expect(of(`q${i}`)).toHaveLength(2);
    expect(whole).toMatchObject({ answerable: true, correct: true });
    expect(without).toMatchObject({ answerable: false, correct: false });
    // The article's other passages contain one of the two words.
    expect(without.score).toBeGreaterThan(0);
    expect(without.score).toBeLessThan(whole.score);
  }
  // The passages for the first are in two folds. The passages for the second are in one.
  expect(of('both').map(({ answerable }) => answerable)).toEqual([true]);
  expect(of('same').map(({ answerable }) => answerable)).toEqual([true, false]);
  expect(of('same')[1]!.score).toBe(0);
  expect(of('none').map(({ answerable }) => answerable)).toEqual([false]);
});

test("questions of another set are asked on a set's passages, without those that it does not have", async () => {
  const [en, de] = [
    await articleSet(`${folder}/foreign`, 'en'),
    await articleSet(`${folder}/foreign`, 'de', [['more', ownWord(0), [0]]]),
  ];
  for (const protocol of [unanswerable, nearTopic]) {
    const own = await protocol(builder(), en);
    const foreign = await protocol(builder(), en, de.queries);
    const plain = (outcomes: Outcome[]) => outcomes.map(({ question: _, ...outcome }) => outcome);
    expect(plain(foreign)).toEqual(plain(own));
    expect(count(foreign, ({ question }) => question.lang !== 'de')).toBe(0);
  }
});

test('an index of a half contains only the passages of that half', async () => {
  const set = await articleSet(`${folder}/half`, 'en');
  const passages = (half: 'fit' | 'test') =>
    withIndex(builder(), [articleHalf(set, half)], async ({ info }) => info.passages);
  expect(await passages('fit')).toBe(10);
  expect(await passages('test')).toBe(5);
});
