import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lookup } from '../../../index/format/lookup-file.ts';
import { scoreTerms } from '../../../index/format/postings.ts';
import { bm25Shares } from '../../fixtures/bm25.ts';
import { lookupFile, postingsOf } from '../../fixtures/files.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'lookup.bin');

/** The share of each text, or 0 if it is not listed. */
function shares(texts: string[], question: string): number[] {
  writeFileSync(path, lookupFile(postingsOf(texts)));
  const lookup = new Lookup(path, texts.length);
  try {
    const scores = scoreTerms(lookup, question, texts.length);
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

test('shares match the BM25 formula to 1/255', () => {
  fc.assert(
    fc.property(fc.array(sentence, { minLength: 1, maxLength: 12 }), sentence, (texts, question) => {
      const expected = bm25Shares(texts, question);
      for (const [i, share] of shares(texts, question).entries()) {
        expect(Math.abs(share - expected[i]!)).toBeLessThanOrEqual(ROUNDING);
        expect(share > 0).toBe(expected[i]! > 0);
      }
    }),
  );
});

test('texts without a matching term have no share, and a question without terms finds nothing', () => {
  const texts = ['a lighthouse', 'a harbour'];
  expect(shares(texts, 'submarine')).toEqual([0, 0]);
  expect(shares(texts, '?! …')).toEqual([0, 0]);
  expect(shares(texts, 'lighthouse')[1]).toBe(0);
});

test('a rare missing term lowers the share of a found term', () => {
  const texts = ['a lighthouse', 'a harbour'];
  const [alone] = shares(texts, 'lighthouse');
  const [beside] = shares(texts, 'lighthouse submarine');
  expect(beside!).toBeLessThan(alone! / 1.5);
});

test('accepts texts without any term', () => {
  expect(shares(['', '…', 'lighthouse'], 'lighthouse').slice(0, 2)).toEqual([0, 0]);
});
