import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_MODEL } from '../../../index/compile/compile.ts';
import { compileTokenizer, type TokenizerJson } from '../../../index/compile/compile-tokenizer.ts';
import { type Range, Tokenizer } from '../../../index/embedding/tokenizer.ts';
import { runs } from '../../fixtures/runs.ts';
import { shared } from '../../fixtures/shared.ts';

const golden = shared('eval/tokens/golden.jsonl.gz');
const json: TokenizerJson = JSON.parse(readFileSync(join(DEFAULT_MODEL, 'tokenizer.json'), 'utf8'));
const tokenizer = new Tokenizer(compileTokenizer(json));
const SPECIAL = new Set(json.added_tokens.map(({ id }) => id));
const UNKNOWN = 3;

/** A piece as the vocabulary has it. */
const pieceOf = (id: number) => json.model.vocab[id]?.[0] ?? '';

/** Checks what holds for every text: a place for each piece, in order and within the text. Returns pieces and their texts. */
function placed(text: string): { id: number; place: Range; slice: string }[] {
  const ids = tokenizer.pieces(text);
  const places = tokenizer.places(text);
  expect(places.length, JSON.stringify(text)).toBe(ids.length);
  let [lastStart, lastEnd] = [0, 0];
  const wrong = places.filter(([start, end]) => {
    // An empty place marks the start of a word.
    const isRight = start >= lastStart && end >= (start === end ? start : lastEnd) && end <= text.length;
    [lastStart, lastEnd] = [start, Math.max(end, lastEnd)];
    return !isRight;
  });
  expect(wrong, JSON.stringify(text)).toEqual([]);
  return ids.map((id, i) => ({ id, place: places[i]!, slice: text.slice(...places[i]!) }));
}

/** NFKC without the differences of SentencePiece's map. */
const normal = (text: string) => text.normalize('NFKC').replaceAll('\u0e33', '\u0e4d\u0e32');

/**
 * Words of which each character is normalized on its own: each piece is exactly its part of the text.
 */
const WORDS = {
  en: 'The lighthouse keeper shouldn’t extinguish twenty-one lamps, ①②③ ½ ﬁne ﬀ',
  de: 'Übergrößenträger Straßenbahnhaltestelle ÄÖÜ äöüß',
  ru: 'Смотритель маяка зажигает лампу ежедневно ёжик Й',
  ar: 'يشعل حارس المنارة المصباح كل مساء ٱلْمِصْبَاحُ ﻻ ﷲ',
  hi: 'प्रकाशस्तंभ का रखवाला हर शाम दीपक जलाता है क़ानून',
  th: 'ผู้ดูแลประภาคารจุดตะเกียงทุกเย็น น้ำทำ',
  zh: '灯塔看守人每晚点亮灯，㈱ ㍿ Ａｂｃ１２３',
  ja: '灯台守は毎晩ランプをともす。ｶﾀｶﾅ ガギグ',
  ko: '등대지기는 매일 저녁 등불을 켠다 각하',
  tr: 'Işıklandırılmış İstanbul’un çığırtkanları',
};

describe('the places of words', () => {
  test.each(Object.entries(WORDS))('in %s have the text of their pieces', (_, text) => {
    for (const form of ['NFC', 'NFD'] as const) {
      const written = text.normalize(form);
      const found = placed(written);
      expect(found.length).toBeGreaterThan(5);
      let exact = 0;
      for (const { id, slice, place } of found) {
        if (id === UNKNOWN) continue;
        const piece = pieceOf(id).replaceAll('\u2581', '');
        // A character that became several, such as a ligature, may contain the pieces of more than one place.
        expect(normal(slice), `${piece} at ${place} of ${written}`).toContain(
          normal(piece).replaceAll('\u2044', '⁄'),
        );
        if (normal(slice).normalize('NFC') === normal(piece).normalize('NFC')) exact++;
      }
      expect(exact / found.length).toBeGreaterThan(0.8);
    }
  });

  test('cover every character except spaces', () => {
    for (const text of Object.values(WORDS)) {
      const covered = new Set(
        placed(text).flatMap(({ place: [start, end] }) =>
          Array.from({ length: end - start }, (_, i) => start + i),
        ),
      );
      for (let at = 0; at < text.length; at++)
        expect(covered.has(at), `${at} of ${text}`).toBe(text[at] !== ' ');
    }
  });

  test('are the places of their own tokens, shifted, if they are joined by spaces', () => {
    const word = fc.constantFrom(...Object.values(WORDS).flatMap((text) => text.split(' ')));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        let start = 0;
        const expected = words.flatMap((one) => {
          const places = tokenizer.places(one).map(([from, to]): Range => [from + start, to + start]);
          start += one.length + 1;
          return places;
        });
        expect(tokenizer.places(words.join(' '))).toEqual(expected);
      }),
    );
  });
});

test.each<[string, string, [string, string][]]>([
  ['a word', 'lamp', [['▁lamp', 'lamp']]],
  [
    'spaces',
    '  a \t\n b ',
    [
      ['▁a', 'a'],
      ['▁b', 'b'],
    ],
  ],
  [
    'a ligature, whose pieces share it',
    'ﷺ',
    [
      ['▁صلى', 'ﷺ'],
      ['▁الله', 'ﷺ'],
      ['▁عليه', 'ﷺ'],
      ['▁وسلم', 'ﷺ'],
    ],
  ],
  [
    'full-width letters',
    'ｏｋ！',
    [
      ['▁ok', 'ｏｋ'],
      ['!', '！'],
    ],
  ],
  [
    'a special token',
    'a<mask>b',
    [
      ['▁a', 'a'],
      ['', '<mask>'],
      ['▁b', 'b'],
    ],
  ],
])('%s', (_, text, expected) => {
  const found = placed(text).map(({ id, slice }) => [SPECIAL.has(id) ? '' : pieceOf(id), slice]);
  expect(found).toEqual(expected);
});

test('a piece that only marks the start of a word has an empty place there', () => {
  const found = placed('see 灯塔');
  const mark = found.find(({ id }) => pieceOf(id) === '\u2581');
  expect(mark?.place).toEqual([4, 4]);
});

describe('any text has a place for each piece, in order and within the text', () => {
  const odd = fc.constantFrom(
    '\ud800',
    '\udc00',
    '\0',
    '\u0301',
    '\u200d',
    '👩',
    '▁',
    '<s>',
    '<mask>',
    ' ',
    'क',
    '्',
    '\ufeff',
    '\u3000',
    'ﷺ',
    '\r\n',
    '한',
    '\u1112\u1161\u11ab',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
      .map((list) => String.fromCharCode(...list)),
    fc.array(odd, { maxLength: 40 }).map((list) => list.join('')),
  );

  test('for random texts', () => {
    fc.assert(
      fc.property(text, (one) => void placed(one)),
      { numRuns: runs(1000) },
    );
  });

  test.skipIf(golden.missing)('for 1,839 reference texts (skipped without the file)', () => {
    const lines = gunzipSync(readFileSync(golden.path)).toString().trimEnd().split('\n');
    expect(lines.length).toBe(1839);
    for (const line of lines) placed((JSON.parse(line) as { text: string }).text);
  });
});

test('the information of a token is -log of its probability', () => {
  const id = tokenizer.pieces('lamp')[0]!;
  expect(tokenizer.information(id)).toBeCloseTo(-json.model.vocab[id]![1], 5);
  expect(tokenizer.information(250_001)).toBeCloseTo(0, 9);
  expect(tokenizer.information(UNKNOWN)).toBeCloseTo(0, 9);
});
