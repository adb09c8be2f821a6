import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Passage } from '../../../../index/format/passage.ts';
import { blockBytes } from '../../../../index/format/tokens-file.ts';
import { decodeRow, encodeRow, type RowContent } from '../../../../index/store/s3vectors/row.ts';

const DIMENSIONS = 16;

const passages: fc.Arbitrary<Passage> = fc.record(
  {
    id: fc.string(),
    text: fc.string({ unit: 'grapheme', maxLength: 40 }),
    title: fc.string(),
    source: fc.string(),
    position: fc.nat(),
    lang: fc.constantFrom('de', 'und'),
    metadata: fc.dictionary(
      fc.string(),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string())),
      { noNullPrototype: true },
    ),
    group: fc.nat(2 ** 48 - 1),
    sentences: fc.array(fc.constant<[number, number]>([0, 0]), { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: ['id', 'text', 'title', 'source', 'position', 'lang', 'sentences'] },
);

const rows: fc.Arbitrary<RowContent> = fc.tuple(passages, fc.nat(40)).chain(([passage, tokens]) => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  return fc.record({
    passage: fc.constant(passage),
    sentences: bytes(passage.sentences.length * (DIMENSIONS + 4)),
    tokens: fc.constant(tokens),
    blocks: bytes(blockBytes(tokens, DIMENSIONS / 4)),
  });
});

const plain = ({ sentences, blocks, ...rest }: RowContent) => ({
  ...rest,
  sentences: [...sentences],
  blocks: [...blocks],
});

test('reads back any row, at any place in memory', () => {
  fc.assert(
    fc.property(rows, fc.nat(7), (row, offset) => {
      const bytes = Buffer.concat([new Uint8Array(offset), encodeRow(row)]).subarray(offset);
      expect(plain(decodeRow(bytes, DIMENSIONS, 'row'))).toEqual(plain(row));
    }),
  );
});

test('refuses a row that is cut at any byte, or has bytes after its end', () => {
  fc.assert(
    fc.property(rows, (row) => {
      const bytes = encodeRow(row);
      for (let length = 0; length < bytes.length; length++)
        expect(() => decodeRow(bytes.subarray(0, length), DIMENSIONS, 'row 7')).toThrow(/^row 7 is damaged/);
      const longer = Buffer.concat([bytes, new Uint8Array(1)]);
      expect(() => decodeRow(longer, DIMENSIONS, 'row 7')).toThrow(/^row 7 is damaged/);
    }),
    { numRuns: 20 },
  );
});

test('refuses a row with any single flipped bit', () => {
  fc.assert(
    fc.property(rows, (row) => {
      const bytes = encodeRow(row);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeRow(bytes, DIMENSIONS, 'row 7')).toThrow(
          bit < 8 ? /^row 7 has version/ : /^row 7 is damaged/,
        );
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      }
    }),
    { numRuns: 5 },
  );
});

/** A row whose checksum is right, although its content was changed. */
function forged(row: RowContent, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(encodeRow(row));
  change(bytes);
  bytes.writeUInt32LE(process.getBuiltinModule('node:zlib').crc32(bytes.subarray(5)), 1);
  return bytes;
}

test('refuses counts that exceed the row, without reserving memory for them, and passages with other counts', () => {
  const [row] = fc.sample(rows, { numRuns: 1, seed: 5 }) as [RowContent];
  for (const change of [
    (bytes: Buffer) => bytes.writeUInt32LE(2 ** 32 - 1, 5),
    (bytes: Buffer) => bytes.writeUInt32LE(2 ** 32 - 1, 9),
    (bytes: Buffer) => bytes.writeUInt16LE(2 ** 16 - 1, 13),
    // Two bytes of the passage, its end, become something else.
    (bytes: Buffer) => bytes.writeUInt8(0, 15),
  ])
    expect(() => decodeRow(forged(row, change), DIMENSIONS, 'row 7')).toThrow(/^row 7 is damaged/);
  const { passage } = row;
  const other = { ...passage, sentences: [...passage.sentences, [0, 0] as [number, number]] };
  const fewer = { ...row, passage: other };
  expect(() => decodeRow(encodeRow(fewer), DIMENSIONS, 'row 7')).toThrow(/^row 7 is damaged/);
});
