import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Match } from '../../../index/search/answer.ts';
import { marksOf, splitAtMarks } from '../../../index/search/marks.ts';

/** A match of a word in a text, where it first occurs. */
function match(text: string, word: string, weight = 1): Match {
  const start = text.indexOf(word);
  return { query: [0, 1], text: [start, start + word.length], weight };
}

/** The marked words of a text. */
const marked = (text: string, words: [word: string, weight?: number][]) =>
  marksOf(
    text,
    words.map(([word, weight]) => match(text, word, weight)),
  ).map(([start, end]) => text.slice(start, end));

describe('marks', () => {
  test.each<[string, [string, number?][], string[]]>([
    [
      'vacaciones periódicas pagadas',
      [['pagadas'], ['periódicas'], ['vacaciones']],
      ['vacaciones periódicas pagadas'],
    ],
    ['one two three', [['one'], ['three']], ['one', 'three']],
    ['one\ntwo', [['one'], ['two']], ['one', 'two']],
    ['one, two', [['one'], ['two']], ['one', 'two']],
    ["l'été semi-final", [['l'], ['été'], ['semi'], ['final']], ["l'été semi-final"]],
    ['定期休暇です', [['定期'], ['休暇']], ['定期休暇']],
    ['overlapping', [['overlap'], ['lapping']], ['overlapping']],
    [
      'strong weak',
      [
        ['strong', 0.4],
        ['weak', 0.09],
      ],
      ['strong'],
    ],
    [
      'strong medium',
      [
        ['strong', 0.4],
        ['medium', 0.1],
      ],
      ['strong medium'],
    ],
  ])('in %j', (text, words, expected) => {
    expect(marked(text, words)).toEqual(expected);
  });

  test('are absent without matches', () => {
    expect(marksOf('text')).toEqual([]);
    expect(marksOf('text', [])).toEqual([]);
  });

  const texts = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '-', 'é', '😀'), maxLength: 40 });
  const spans = fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true })));

  test('cover each heavy match once, and otherwise only what joins two words', () => {
    fc.assert(
      fc.property(texts, spans, (text, all) => {
        const matches = all.map(
          ([a, b, weight]): Match => ({
            query: [0, 1],
            text: [Math.min(a, b, text.length), Math.min(Math.max(a, b), text.length)],
            weight,
          }),
        );
        const marks = marksOf(text, matches);
        const isIn = (at: number, list: [number, number][]) =>
          list.filter(([start, end]) => start <= at && at < end).length;
        const most = Math.max(...matches.map(({ weight }) => weight));
        const heavy = matches.filter(({ weight }) => weight >= most / 4).map((one) => one.text);
        for (let at = 0; at < text.length; at++) {
          expect(isIn(at, marks)).toBeLessThanOrEqual(1);
          if (isIn(at, heavy) > 0) expect(isIn(at, marks)).toBe(1);
          else if (isIn(at, marks) > 0) expect(text[at]).toMatch(/[ -]/);
        }
        const from = Math.floor(text.length / 3);
        const parts = splitAtMarks(text, from, text.length, marks);
        expect(parts.map(({ part }) => part).join('')).toBe(text.slice(from));
        const flags = parts.flatMap(({ part, isMarked }) => Array(part.length).fill(isMarked));
        expect(flags).toEqual(Array.from(flags, (_, i) => isIn(from + i, marks) > 0));
      }),
    );
  });
});
