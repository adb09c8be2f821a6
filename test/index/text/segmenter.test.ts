import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type Granularity, segments } from '../../../index/text/segmenter.ts';
import { runs } from '../../fixtures/runs.ts';

/** The segments of a whole text, without windows. */
function reference(text: string, granularity: Granularity, locale = 'en') {
  return Array.from(new Intl.Segmenter(locale, { granularity }).segment(text), (data) => ({
    segment: data.segment,
    index: data.index,
    isWordLike: data.isWordLike,
  }));
}

/** Characters that decide boundaries: letters, digits, marks, joiners, flags, emoji, Hangul, punctuation, white space. */
const CHARACTERS = [
  ...'abcXYZ019éßאבفकஓ가나्́̈ी\u200d\u00ad🇩🇪🇫👩👧🏽❤\ufe0f𝒜𠮷',
  ...'\'".,:;!?()…。’“”_-/\n\r\t\u2028  ',
  ...['\r\n', '. ', '." ', '.) a', "'s", '1.5', 'e.g. ', '\ud83d', '\udc00'],
];
const anyText = fc
  .array(fc.array(fc.constantFrom(...CHARACTERS), { minLength: 1, maxLength: 40 }), { maxLength: 400 })
  .map((parts) => parts.map((part) => part.join('')).join(''));

describe.each<Granularity>(['grapheme', 'word', 'sentence'])('%s', (granularity) => {
  test('splits any text as if it were segmented in one call', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([...segments(text, granularity)]).toEqual(reference(text, granularity));
      }),
      { numRuns: runs(200) },
    );
  });

  test.each([
    ['letters', 'a'],
    ['marks', '\u0301'],
    ['spaces', ' '],
    ['full stops', '.'],
    ['flags', '🇩🇪'],
    ['joined emoji', '👩\u200d'],
    ['line ends', '\r\n'],
    ['quotes after a full stop', '."'],
    ['surrogate pairs after one unit', '𝒜'],
  ])('splits long runs of %s', (_, unit) => {
    for (const text of [unit.repeat(6000), `ab. ${unit.repeat(4999)}c d. E`, `x${unit.repeat(2047)}`])
      expect([...segments(text, granularity)]).toEqual(reference(text, granularity));
  });

  test('segments a number of code units linear in the length of the text', () => {
    const segment = vi.spyOn(Intl.Segmenter.prototype, 'segment');
    for (const unit of ['a', 'ab. ', '\u0301', `${'a'.repeat(9000)}. `, `b. ${'a'.repeat(2500)}`]) {
      const text = unit.repeat(Math.ceil(40_000 / unit.length));
      segment.mockClear();
      expect([...segments(text, granularity)].map((part) => part.segment).join('')).toBe(text);
      const given = segment.mock.calls.reduce((sum, [window]) => sum + window.length, 0);
      expect(given).toBeLessThan(8 * text.length);
    }
    segment.mockRestore();
  });
});

test('an unknown or malformed locale uses English rules', () => {
  for (const locale of ['xx', 'und', 'not a tag', ''])
    expect([...segments('Mr. Fox.', 'sentence', locale)]).toEqual(reference('Mr. Fox.', 'sentence'));
});

test('a known locale uses its own rules', () => {
  // The Greek question mark ends a sentence in Greek only.
  const text = 'Τι είναι; Μια γάτα.';
  expect([...segments(text, 'sentence', 'el')]).toHaveLength(2);
  expect([...segments(text, 'sentence', 'en')]).toHaveLength(1);
});

test('segmenters are cached', () => {
  const segment = () => [...segments('Un deux.', 'word', 'fr')];
  const first = segment();
  const created = vi.spyOn(Intl, 'Segmenter');
  expect(segment()).toEqual(first);
  expect(created).not.toHaveBeenCalled();
  created.mockRestore();
});
