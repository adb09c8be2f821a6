import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headBytes, readHead, readSections, writeSections } from '../../../index/format/container.ts';

const format = { magic: 'PTST', version: 3, sections: 2 };
const file = writeSections(format, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);

test('reads back what was written, each section at a multiple of 8', () => {
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

test('reads a file that is part of a larger buffer', () => {
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
    't.bin starts with "PTST" where PXYZ version 3 was expected: build it again.',
  ],
  [
    'another version',
    { ...format, version: 4 },
    file,
    't.bin is PTST version 3, but this polyseek reads PTST version 4: build it again.',
  ],
  [
    'a file cut short',
    format,
    file.subarray(0, 60),
    't.bin has 60 bytes where its head says 64: it is damaged, build it again.',
  ],
  [
    'a file too short for a head',
    format,
    file.subarray(0, 47),
    't.bin has 47 bytes, too few for PTST version 3: build it again.',
  ],
  [
    'an empty file',
    format,
    new Uint8Array(0),
    't.bin has 0 bytes, too few for PTST version 3: build it again.',
  ],
])('refuses %s', (_name, expected, bytes, message) => {
  expect(() => readSections(bytes, expected, 't.bin')).toThrow(new Error(message));
});
