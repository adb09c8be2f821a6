import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeSections } from '../../../index/format/container.ts';
import type { Passage } from '../../../index/format/passage.ts';
import { PASSAGES, Passages } from '../../../index/format/passages-file.ts';
import { passagesFile } from '../../fixtures/files.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'passages.bin');

const text = fc.string({ unit: 'binary' });
const passage: fc.Arbitrary<Passage> = fc
  .record(
    {
      id: text,
      text,
      title: text,
      source: text,
      position: fc.nat(),
      lang: text,
      url: text,
      metadata: fc.dictionary(
        text,
        fc.oneof(
          text,
          fc.boolean(),
          fc.array(text),
          fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
        ),
      ),
      sentences: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1 }),
    },
    { requiredKeys: ['id', 'text', 'title', 'source', 'position', 'lang', 'sentences'] },
  )
  .map(({ sentences, ...rest }) => ({
    ...rest,
    sentences: sentences.map(([a, b]): [number, number] => {
      const length = rest.text.length + 1;
      return [Math.min(a % length, b % length), Math.max(a % length, b % length)];
    }),
  }));

test('reads back any passages, in any order', () => {
  fc.assert(
    fc.property(fc.array(passage), (passages) => {
      writeFileSync(path, passagesFile(passages));
      const file = new Passages(path);
      try {
        expect(file.count).toBe(passages.length);
        for (const [ordinal, one] of [...passages.entries()].reverse()) {
          // A round trip through JSON removes prototypes, so only values are compared.
          expect(JSON.stringify(file.get(ordinal))).toBe(JSON.stringify(one));
        }
      } finally {
        file.close();
      }
    }),
  );
});

describe('a damaged file', () => {
  const one: Passage = {
    id: 'a',
    text: 'One. Two.',
    title: 'T',
    source: 's.md',
    position: 0,
    lang: 'en',
    sentences: [[0, 4]],
  };
  /** Section 0 starts after the 16-byte header and two section entries. */
  const TABLE = 48;
  const refusal = (problem: string) => `${path} is damaged: ${problem}. Run npx polyseek index again.`;

  test.each([
    ['before the first', 0, -1],
    ['of NaN', 0, Number.NaN],
    ['of a fraction', 1, 1.5],
    ['after the last', 1, 1e9],
    ['after its end', 0, 200],
  ])('is refused with an offset %s', (_, entry, value) => {
    const bytes = passagesFile([one]);
    new DataView(bytes.buffer).setFloat64(TABLE + 8 * entry, value, true);
    writeFileSync(path, bytes);
    const file = new Passages(path);
    expect(() => file.get(0)).toThrow(/is damaged: passage 0 is at bytes .* to .* of \d+\. Run npx/);
    file.close();
  });

  test.each([
    ['no JSON', () => '{"id"'],
    ['null', () => null],
    ['a list', () => []],
    ['an id that is a number', () => ({ ...one, id: 1 })],
    ['a fractional position', () => ({ ...one, position: 0.5 })],
    ['metadata within metadata', () => ({ ...one, metadata: { a: { b: 1 } } })],
    ['no sentences', () => ({ ...one, sentences: [] })],
    ['a sentence past the end of its text', () => ({ ...one, sentences: [[5, 10]] })],
    ['a sentence that ends before it starts', () => ({ ...one, sentences: [[4, 0]] })],
    ['a sentence of text', () => ({ ...one, sentences: ['One.'] })],
  ])('is refused with %s as a passage', (_, record) => {
    const value = record();
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const table = new Uint8Array(Float64Array.of(0, Buffer.byteLength(text)).buffer);
    writeFileSync(path, writeSections(PASSAGES, [table, Buffer.from(text)]));
    const file = new Passages(path);
    expect(() => file.get(0)).toThrow(refusal('the record of passage 0 is invalid'));
    file.close();
  });

  test('is refused with an incomplete table', () => {
    writeFileSync(path, writeSections(PASSAGES, [new Uint8Array(12), new Uint8Array(0)]));
    expect(() => new Passages(path)).toThrow(refusal('its table of passages has 12 bytes'));
  });

  test('is refused if truncated while open', () => {
    // The record is longer than one read.
    writeFileSync(path, passagesFile([{ ...one, title: 'T'.repeat(2_000_000) }]));
    const file = new Passages(path);
    truncateSync(path, 1000);
    expect(() => file.get(0)).toThrow(/is damaged: it ends at byte 1000, before byte \d+\. Run npx/);
    file.close();
  });
});
