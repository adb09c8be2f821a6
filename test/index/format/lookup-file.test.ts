import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lookup, writeLookup } from '../../../index/format/lookup-file.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'lookup.bin');

/** What the keys have in a file that was written with these records. */
function roundTrip(records: [string, Uint8Array][], keys: string[]): (number[] | undefined)[] {
  writeFileSync(path, writeLookup(new Map(records)));
  const lookup = new Lookup(path);
  try {
    return keys.map((key) => {
      const data = lookup.get(key);
      return data && [...data];
    });
  } finally {
    lookup.close();
  }
}

const key = fc.string({ unit: 'binary', maxLength: 20 });
const data = fc.uint8Array({ maxLength: 1500 });

test('any keys have their data, and no other key has any', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(key, data), { selector: ([k]) => k }), key, (records, other) => {
      const keys = [...records.map(([k]) => k), other];
      const expected = keys.map((k) => {
        const found = records.find(([one]) => one === k);
        return found && [...found[1]];
      });
      expect(roundTrip(records, keys)).toEqual(expected);
    }),
  );
});

test('ten thousand keys, which collide in many slots, have their own numbers', () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
  const bytes = (i: number) => [i & 255, i >> 8];
  const found = roundTrip(
    keys.map((k, i) => [k, Uint8Array.from(bytes(i))]),
    [...keys, 'key 10000', 'key', ''],
  );
  expect(found).toEqual([...keys.map((_, i) => bytes(i)), undefined, undefined, undefined]);
});

describe('two keys of one hash', () => {
  // Found by search: FNV-1a gives both the same 32 bits.
  const [first, second] = ['costarring', 'liquid'] as const;

  test('are told apart', () => {
    const records: [string, Uint8Array][] = [
      [first, Uint8Array.of(1)],
      [second, Uint8Array.of(2)],
    ];
    expect(roundTrip(records, [first, second])).toEqual([[1], [2]]);
  });

  test('one that is absent does not get what the other has', () => {
    expect(roundTrip([[first, Uint8Array.of(1)]], [first, second])).toEqual([[1], undefined]);
  });
});

test('keys and data longer than what is read at first, up to a key of 100,000 bytes', () => {
  const keys = ['a'.repeat(505), 'b'.repeat(100_000), 'c'];
  const records = keys.map((k): [string, Uint8Array] => [k, new Uint8Array(70_000).fill(k.length % 251)]);
  expect(roundTrip(records, keys)).toEqual(records.map(([, bytes]) => [...bytes]));
});

test('an empty table has nothing', () => {
  expect(roundTrip([], ['', 'a'])).toEqual([undefined, undefined]);
});
