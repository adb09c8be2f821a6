import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type EvaluationSet, questionKey, readSet } from '../../../index/evaluate/set.ts';

const languages = ['en', 'de', 'fr', 'zh', 'hi', 'ar'];
const folder = fileURLToPath(new URL('../../quality/sets', import.meta.url));

const segments = (text: string, lang: string, granularity: 'word' | 'sentence') => [
  ...new Intl.Segmenter(lang, { granularity }).segment(text),
];

/** The numbers written in digits in a text, in ascending order. */
const numbers = (text: string) => (text.match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b);

let english: EvaluationSet;
beforeAll(async () => {
  english = await readSet(`${folder}/en`);
});

describe.each(languages)('the set in %s', (lang) => {
  let set: EvaluationSet;
  beforeAll(async () => {
    set = await readSet(`${folder}/${lang}`);
  });

  test('has three passages per topic, each of 2 to 5 sentences and 40 to 110 words', () => {
    expect(set.passages).toHaveLength(30);
    const topics = set.passages.map(({ id }) => questionKey(id).replace(/-[123]$/, ''));
    expect(new Set(topics).size).toBe(10);
    for (const { id, text } of set.passages) {
      const words = segments(text, lang, 'word').filter((segment) => segment.isWordLike).length;
      expect(words, id).toBeGreaterThanOrEqual(40);
      expect(words, id).toBeLessThanOrEqual(110);
      const sentences = segments(text, lang, 'sentence').length;
      expect(sentences, id).toBeGreaterThanOrEqual(2);
      expect(sentences, id).toBeLessThanOrEqual(5);
    }
  });

  test('has two questions per passage, and fifteen unanswerable questions', () => {
    expect(set.queries).toHaveLength(75);
    const expected = set.passages.flatMap(({ id }) => [
      [`${id}a`, [id]],
      [`${id}b`, [id]],
    ]);
    const answered = set.queries.filter(({ relevant }) => relevant.length > 0);
    expect(answered.map(({ id, relevant }) => [id, relevant])).toEqual(expected);
    const unanswered = set.queries.filter(({ relevant }) => relevant.length === 0);
    expect(unanswered.map(({ id }) => id)).toEqual(
      Array.from({ length: 15 }, (_, i) => `${lang}-none-${String(i + 1).padStart(2, '0')}`),
    );
  });

  test('repeats no text, and marks every record with its language', () => {
    const records = [...set.passages, ...set.queries];
    expect(new Set(records.map(({ text }) => text)).size).toBe(records.length);
    for (const record of records) {
      expect(record.lang).toBe(lang);
      expect(record.id).toMatch(new RegExp(`^${lang}-`));
      expect(record.text).toBe(record.text.normalize('NFC').trim());
    }
  });

  test('has the same keys and numbers as the English set, in the same order', () => {
    const keys = (records: readonly { id: string }[]) => records.map(({ id }) => questionKey(id));
    expect(keys(set.passages)).toEqual(keys(english.passages));
    expect(keys(set.queries)).toEqual(keys(english.queries));
    for (const [i, { id, text }] of set.passages.entries()) {
      expect(numbers(text), id).toEqual(numbers(english.passages[i]!.text));
    }
  });
});

test('no text occurs in two languages', async () => {
  const sets = await Promise.all(languages.map((lang) => readSet(`${folder}/${lang}`)));
  const texts = sets.flatMap(({ passages, queries }) => [...passages, ...queries].map(({ text }) => text));
  expect(new Set(texts).size).toBe(texts.length);
});
