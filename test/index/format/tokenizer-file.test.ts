import { expect, test } from 'vitest';
import { compileTokenizer } from '../../../index/compile/compile-tokenizer.ts';
import { Tokenizer } from '../../../index/embedding/tokenizer.ts';
import { readSections, writeSections } from '../../../index/format/container.ts';
import { TOKENIZER } from '../../../index/format/tokenizer-file.ts';
import { tinyTokenizer } from '../../fixtures/models/tiny-model.ts';

const whole = readSections(compileTokenizer(tinyTokenizer()), TOKENIZER, 'tokenizer.bin');

/** Opens a tokenizer with one section replaced, and encodes a text with many replaced characters. */
function encode(section: number, bytes: Uint8Array): number[] {
  return new Tokenizer(writeSections(TOKENIZER, whole.with(section, bytes)), 'm/tokenizer.bin').encode(
    'the ½ ﬁeld',
  );
}

/** A section with one 32-bit number changed. */
function changed(section: number, place: number, value: number): Uint8Array {
  const copy = whole[section]!.slice();
  new DataView(copy.buffer).setUint32(4 * place, value, true);
  return copy;
}

test('an undamaged tokenizer encodes', () => {
  expect(encode(0, whole[0]!).length).toBeGreaterThan(4);
});

test.each<[string, number, Uint8Array, RegExp]>([
  ['truncated settings', 0, new Uint8Array(12), /its settings have 12 bytes instead of 16/],
  ['an unknown token out of range', 0, changed(0, 2, 400), /its unknown token is 400 of 400/],
  ['special tokens in invalid JSON', 1, Buffer.from('['), /its special tokens are invalid/],
  ['special tokens outside a list', 1, Buffer.from('{}'), /its special tokens are invalid/],
  [
    'a special token without text',
    1,
    Buffer.from('[{"id":1,"content":"","lstrip":true}]'),
    /special tokens are/,
  ],
  [
    'a special token with an invalid id',
    1,
    Buffer.from('[{"id":0.5,"content":"a","lstrip":true}]'),
    /special tokens are/,
  ],
  ['an incomplete character trie', 2, new Uint8Array(6), /a table of 4-byte numbers has 6 bytes/],
  ['no replacements', 3, new Uint8Array(0), /its character map has no replacement at byte \d+/],
  [
    'unterminated replacements',
    3,
    new Uint8Array(100_000).fill(97),
    /its character map has no replacement at byte \d+/,
  ],
  ['no pieces', 4, new Uint8Array(0), /a table of 4-byte numbers has 0 bytes/],
  ['fewer scores than pieces', 5, whole[5]!.subarray(0, 16), /its trie has piece \d+ of 4/],
])('refuses %s', (_, section, bytes, problem) => {
  expect(() => encode(section, bytes)).toThrow(problem);
  expect(() => encode(section, bytes)).toThrow(
    /^m\/tokenizer\.bin is damaged: .*\. Run npx polyseek index again\.$/,
  );
});

test('encodes even if scores are NaN', () => {
  const scores = new Uint8Array(Float32Array.from({ length: 400 }, () => Number.NaN).buffer);
  expect(encode(5, scores).length).toBeGreaterThan(2);
});
