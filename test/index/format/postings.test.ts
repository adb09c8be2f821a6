import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lookup } from '../../../index/format/lookup-file.ts';
import { scoreTerms } from '../../../index/search/candidates.ts';
import { listsOf } from '../../../index/store/bundle-store.ts';
import { bm25Shares } from '../../fixtures/bm25.ts';
import { lookupFile, postingsOf } from '../../fixtures/files.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'lookup.bin');

/** The share of each text, or 0 if it is not listed. */
async function shares(texts: string[], question: string): Promise<number[]> {
  writeFileSync(path, lookupFile(postingsOf(texts)));
  const lookup = new Lookup(path, texts.length);
  try {
    const scores = await scoreTerms(listsOf(lookup), question, texts.length);
    return texts.map((_, ordinal) => scores.shares.get(ordinal) ?? 0);
  } finally {
    lookup.close();
  }
}

/** Each term's share is rounded to 1/255, but never to 0. */
const ROUNDING = 1 / 255;

const word = fc.constantFrom(
  'the',
  'lighthouse',
  'lighthouses',
  'flash',
  '灯塔',
  '灯塔的光',
  'ประภาคาร',
  'маяк',
  '7',
);
const sentence = fc.array(word, { maxLength: 30 }).map((words) => words.join(' '));

test('shares match the BM25 formula to 1/255', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sentence, { minLength: 1, maxLength: 12 }),
      sentence,
      async (texts, question) => {
        const expected = bm25Shares(texts, question);
        for (const [i, share] of (await shares(texts, question)).entries()) {
          expect(Math.abs(share - expected[i]!)).toBeLessThanOrEqual(ROUNDING);
          expect(share > 0).toBe(expected[i]! > 0);
        }
      },
    ),
  );
});

test('texts without a matching term have no share, and a question without terms finds nothing', async () => {
  const texts = ['a lighthouse', 'a harbour'];
  expect(await shares(texts, 'submarine')).toEqual([0, 0]);
  expect(await shares(texts, '?! …')).toEqual([0, 0]);
  expect((await shares(texts, 'lighthouse'))[1]).toBe(0);
});

test('a rare missing term lowers the share of a found term', async () => {
  const texts = ['a lighthouse', 'a harbour'];
  const [alone] = await shares(texts, 'lighthouse');
  const [beside] = await shares(texts, 'lighthouse submarine');
  expect(beside!).toBeLessThan(alone! / 1.5);
});

test('accepts texts without any term', async () => {
  expect((await shares(['', '…', 'lighthouse'], 'lighthouse')).slice(0, 2)).toEqual([0, 0]);
});
