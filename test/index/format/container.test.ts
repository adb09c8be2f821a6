import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headBytes, readHead, readSections, writeSections } from '../../../index/format/container.ts';

const format = { magic: 'PTST', version: 3, sections: 2 };
const file = writeSections(format, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);

test('reads back written sections, and aligns each to 8 bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (sections) => {
      const any = { magic: 'PANY', version: 1, sections: sections.length };
      const bytes = writeSections(any, sections);
      expect(readSections(bytes, any, 'any').map((section) => [...section])).toEqual(
        sections.map((section) => [...section]),
      );
      const places = readHead(bytes.subarray(0, headBytes(sections.length)), any, 'any', bytes.length);
      expect(places.every(({ start }) => start % 8 === 0)).toBe(true);
    }),
  );
});

test('reads a file inside a larger buffer', () => {
  const buffer = new Uint8Array(file.length + 8);
  buffer.set(file, 5);
  expect(readSections(buffer.subarray(5, 5 + file.length), format, 'x').map((one) => [...one])).toEqual([
    [1, 2, 3],
    [4],
  ]);
});

test.each([
  [
    'another magic',
    { ...format, magic: 'PXYZ' },
    file,
    't.bin is damaged: it starts with "PTST" instead of "PXYZ". Run npx polyseek index again.',
  ],
  [
    'another version',
    { ...format, version: 4 },
    file,
    't.bin has version 3 of the format PTST, but this polyseek reads version 4. Run npx polyseek index again.',
  ],
  [
    'a truncated file',
    format,
    file.subarray(0, 60),
    't.bin is damaged: it has 60 bytes, but its head says 64. Run npx polyseek index again.',
  ],
  [
    'a file too short for a header',
    format,
    file.subarray(0, 47),
    't.bin is damaged: it has 47 bytes, but its head alone has 48. Run npx polyseek index again.',
  ],
  [
    'an empty file',
    format,
    new Uint8Array(0),
    't.bin is damaged: it has 0 bytes, but its head alone has 48. Run npx polyseek index again.',
  ],
])('refuses %s', (_name, expected, bytes, message) => {
  expect(() => readSections(bytes, expected, 't.bin')).toThrow(new Error(message));
});

test.each([
  ['that starts inside the header', { start: 40 }],
  ['that is not aligned', { start: 49 }],
  ['that leaves a gap', { start: 56 }],
  ['that starts at NaN', { start: Number.NaN }],
  ['of a negative length', { length: -8 }],
  ['of a fractional length', { length: 2.5 }],
  ['of infinite length', { length: Number.POSITIVE_INFINITY }],
  ['that overlaps the next', { length: 9 }],
  ['that ends past the end of the file', { length: 1e15 }],
])('refuses a section %s', (_name, { start, length }: { start?: number; length?: number }) => {
  const bytes = file.slice();
  const view = new DataView(bytes.buffer);
  if (start !== undefined) view.setFloat64(16, start, true);
  if (length !== undefined) view.setFloat64(24, length, true);
  expect(() => readSections(bytes, format, 't.bin')).toThrow(
    /^t\.bin is damaged: section [01] starts at byte .* must start at byte \d+\. Run npx polyseek index again\.$/,
  );
});

test.each([0, 9, 1000])('refuses a last section of %i bytes with 1 to 8 bytes left', (length) => {
  const bytes = file.slice();
  new DataView(bytes.buffer).setFloat64(40, length, true);
  expect(() => readSections(bytes, format, 't.bin')).toThrow(
    /^t\.bin is damaged: it has 64 bytes, but its sections end at byte \d+\./,
  );
});
