import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { termsOf } from '../../../index/text/terms.ts';
import { runs } from '../../fixtures/runs.ts';

test.each([
  ['words', 'The lamp, 1871!', ['the', 'lamp', '1871']],
  [
    'words of more than five letters, also by their prefix',
    'Leuchtturm Türme Häfens',
    ['leuchtturm', 'leuch*', 'türme', 'häfens', 'häfen*'],
  ],
  ['Chinese bigrams', '灯塔的光', ['灯塔', '塔的', '的光']],
  ['a single Chinese character', '光', ['光']],
  ['Japanese with its long vowel mark', 'タワー', ['タワ', 'ワー']],
  ['Thai trigrams', 'ประภาคาร', ['ประ', 'ระภ', 'ะภา', 'ภาค', 'าคา', 'คาร']],
  ['a Thai word of two characters', 'ปี', ['ปี']],
  ['full-width letters and capitals, folded', 'ＡＢＣ Ｌａｍｐ', ['abc', 'lamp']],
  ['half-width Katakana, folded', 'ｶﾞｽ', ['ガス']],
  ['combining marks, composed', 'cafe\u0301', ['café']],
  ['only punctuation', '…, — !', []],
  ['nothing', '', []],
])('%s: %s', (_, text, terms) => {
  expect(termsOf(text)).toEqual(terms);
});

test('mixed text follows the rule of each script', () => {
  expect(termsOf('Die 灯塔 of ประภา!').toSorted()).toEqual(
    ['ประ', 'ระภ', 'ะภา', 'die', 'of', '灯塔'].toSorted(),
  );
});

test('surrogate pairs are not split', () => {
  expect(termsOf('𠮷野𠮷')).toEqual(['𠮷野', '野𠮷']);
  expect(termsOf('𝒜𝒷𝒸𝒹𝑒𝒻')).toEqual(['abcdef', 'abcde*']);
});

test('a long text has the same words as if it were segmented in one call', () => {
  const text = Array.from({ length: 2000 }, (_, i) => `word${i}`).join(' ');
  const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
  const words = [...segmenter.segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment);
  expect(termsOf(text).filter((term) => !term.endsWith('*'))).toEqual(words);
});

test('a long text without spaces keeps every letter', () => {
  const text = 'abcdefghij'.repeat(5000);
  expect(
    termsOf(text)
      .filter((term) => !term.endsWith('*'))
      .join(''),
  ).toBe(text);
});

/** The words that the segmenter finds in a text, and the prefixes of the longer words. */
function segmented(text: string): string[] {
  const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
  return [...segmenter.segment(text.toLowerCase())]
    .filter(({ isWordLike }) => isWordLike)
    .flatMap(({ segment }) => (segment.length > 5 ? [segment, `${segment.slice(0, 5)}*`] : [segment]));
}

test.each([
  ['Latin', 'aäbßcéxyzőşıạữ'],
  ['Greek', 'αάβςωώΑ'],
  ['Cyrillic', 'абвёґїљӯҚ'],
  ['Hebrew', 'אבםתְּ'],
  ['Arabic and Persian', 'ابتةىءآپچگیَّْٰـ٠٣۵'],
  ['Devanagari', 'अकखड़ज़ऽॐािीुंँः्०५'],
  ['Hangul', '가나힣의가나'],
])('any %s text has the words of the segmenter', (_, letters) => {
  const characters = [...letters, ...letters, ...letters, ..."a1  ?!.,:;'’-؟،।\t"];
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...characters), maxLength: 40 }), (text) => {
      expect(termsOf(text)).toEqual(segmented(text.normalize('NFKC')));
    }),
    { numRuns: runs(2000) },
  );
});

test.each([
  "l'été, aujourd'hui et co-propriété",
  'Πόσο συχνά αναβοσβήνει;',
  'כמה גבוה המגדלור?',
  'كم ارتفاع المنارة؟',
  'प्रकाशस्तंभ कितना ऊँचा है।',
  '등대는 얼마나 높은가?',
  'Đèn biển cao bao nhiêu?',
])('%s needs no segmenter', (text) => {
  const segmenter = vi.spyOn(Intl, 'Segmenter');
  expect(termsOf(text)).not.toEqual([]);
  expect(segmenter).not.toHaveBeenCalled();
  segmenter.mockRestore();
  expect(termsOf(text)).toEqual(segmented(text.normalize('NFKC')));
});

test('no term of any text is only white space, even with lone surrogates', () => {
  const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      for (const term of termsOf(text)) expect(term.trim()).not.toBe('');
    }),
  );
});

test('any ASCII text has the same terms in capitals', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(termsOf(text.toUpperCase())).toEqual(termsOf(text));
    }),
  );
});
