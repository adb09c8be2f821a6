import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAscending, readList, writeAscending, writeList } from '../../../index/format/varint.ts';

const ascending = fc
  .uniqueArray(fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 32 - 1 })))
  .map((values) => values.sort((a, b) => a - b));

test('reads back any ascending numbers up to 2^32 - 1, at any position', () => {
  fc.assert(
    fc.property(
      ascending,
      fc.uint8Array({ maxLength: 5 }),
      fc.uint8Array({ maxLength: 5 }),
      (values, before, after) => {
        const written = writeAscending(values);
        const bytes = Buffer.concat([before, written, after]);
        const read = readAscending(bytes, before.length, values.length);
        expect([...read!.values]).toEqual(values);
        expect(read!.end).toBe(before.length + written.length);
        const list = readList(Buffer.concat([before, writeList(values), after]), before.length);
        expect([...list!.values]).toEqual(values);
      },
    ),
  );
});

test.each([
  [[], []],
  [[0], [0]],
  [[127], [127]],
  [[128], [0x80, 1]],
  [
    [5, 6, 306],
    [5, 1, 0xac, 2],
  ],
  [[2 ** 32 - 1], [0xff, 0xff, 0xff, 0xff, 0x0f]],
])('writes %j as the bytes %j', (values, bytes) => {
  expect([...writeAscending(values)]).toEqual(bytes);
});

test('refuses truncated numbers', () => {
  fc.assert(
    fc.property(ascending, fc.nat(), (values, cut) => {
      const list = writeList([...values, 2 ** 32 - 1]);
      expect(readList(list.subarray(0, cut % list.length), 0)).toBeUndefined();
    }),
  );
});

test.each([
  ['a number above 2^32 - 1', [1, 0x80, 0x80, 0x80, 0x80, 0x10]],
  ['a sum above 2^32 - 1', [2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]],
  ['a number of a thousand bytes', [1, ...Array(1000).fill(0x80), 1]],
  ['four billion numbers in six bytes', [0xff, 0xff, 0xff, 0xff, 0x0f, 1]],
])('refuses %s', (_, bytes) => {
  expect(readList(Uint8Array.from(bytes), 0)).toBeUndefined();
});
