import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeSections } from '../../../index/format/container.ts';
import { LOOKUP, Lookup } from '../../../index/format/lookup-file.ts';
import { scoreTerms } from '../../../index/search/candidates.ts';
import { listsOf } from '../../../index/store/bundle-store.ts';
import { lookupFile } from '../../fixtures/files.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'lookup.bin');

/** Writes a file with these records, and reads the data of the keys. */
function roundTrip(records: [string, Uint8Array][], keys: string[]): (number[] | undefined)[] {
  writeFileSync(path, lookupFile(new Map(records)));
  const lookup = new Lookup(path, 1000);
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

test('any key has its data, and absent keys have none', () => {
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

test('ten thousand keys keep their own numbers, despite collisions in many slots', () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
  const bytes = (i: number) => [i & 255, i >> 8];
  const found = roundTrip(
    keys.map((k, i) => [k, Uint8Array.from(bytes(i))]),
    [...keys, 'key 10000', 'key', ''],
  );
  expect(found).toEqual([...keys.map((_, i) => bytes(i)), undefined, undefined, undefined]);
});

describe('two keys with the same hash', () => {
  // Both have the same 32-bit FNV-1a hash (found by brute force).
  const [first, second] = ['costarring', 'liquid'] as const;

  test('have their own data', () => {
    const records: [string, Uint8Array][] = [
      [first, Uint8Array.of(1)],
      [second, Uint8Array.of(2)],
    ];
    expect(roundTrip(records, [first, second])).toEqual([[1], [2]]);
  });

  test('return nothing if only the other is present', () => {
    expect(roundTrip([[first, Uint8Array.of(1)]], [first, second])).toEqual([[1], undefined]);
  });
});

test('reads keys and data longer than the first read, up to a key of 100,000 bytes', () => {
  const keys = ['a'.repeat(505), 'b'.repeat(100_000), 'c'];
  const records = keys.map((k): [string, Uint8Array] => [k, new Uint8Array(70_000).fill(k.length % 251)]);
  expect(roundTrip(records, keys)).toEqual(records.map(([, bytes]) => [...bytes]));
});

test('an empty table has no keys', () => {
  expect(roundTrip([], ['', 'a'])).toEqual([undefined, undefined]);
});

describe('a damaged file', () => {
  const table = (...slots: [hash: number, offset: number][]) =>
    new Uint8Array(Uint32Array.from(slots.flat()).buffer);
  /** The FNV-1a hash of the empty key. */
  const EMPTY = 0x811c9dc5;
  const open = (slots: Uint8Array, records: number[]) => {
    writeFileSync(path, writeSections(LOOKUP, [slots, Uint8Array.from(records)]));
    return new Lookup(path, 10);
  };
  const damaged = (problem: string) => `${path} is damaged: ${problem}. Run npx polyseek index again.`;

  test.each([0, 4, 12])('is refused with a table of %i bytes', (length) => {
    expect(() => open(new Uint8Array(length), [])).toThrow(
      damaged(`its table has ${length} bytes, but each slot has 8`),
    );
  });

  test('does not find an absent key, even without an empty slot', () => {
    const lookup = open(table([1, 1], [2, 1], [3, 1]), [0, 0]);
    expect(lookup.get('absent')).toBeUndefined();
    lookup.close();
  });

  test.each<[string, number, number[], string]>([
    ['past the end of the records', 99, [0, 0], 'the record at byte 98 has no lengths'],
    ['with an incomplete length', 1, [0, 0x80], 'the record at byte 0 has no lengths'],
    ['longer than the records', 1, [0, 5, 1], 'the record at byte 0 runs past its section'],
    [
      'with a key longer than the records',
      1,
      [0xff, 0xff, 0xff, 0xff, 0x07, 0],
      'the record at byte 0 runs past its section',
    ],
  ])('is refused with a record %s', (_, offset, records, problem) => {
    const lookup = open(table([EMPTY, offset]), records);
    expect(() => lookup.get('')).toThrow(damaged(problem));
    lookup.close();
  });

  test.each<[string, number[], string]>([
    ['more numbers than bytes', [200], 'a list of passages runs past its record'],
    ['an ordinal out of range', [1, 10], 'a record has 1 passages up to 10 of 10'],
    ['more ordinals than passages', [11, ...Array(11).fill(0)], 'a record has 11 passages up to 0 of 10'],
  ])('is refused with a list of %s', (_, list, problem) => {
    const lookup = open(table([EMPTY, 1]), [0, list.length, ...list]);
    expect(() => lookup.list('')).toThrow(damaged(problem));
    lookup.close();
  });

  test('is refused if the ordinal of an id is out of range', () => {
    writeFileSync(
      path,
      lookupFile(
        new Map([
          ['ia', Uint8Array.of(10)],
          ['ib', Uint8Array.of()],
          ['ic', Uint8Array.of(9)],
        ]),
      ),
    );
    const lookup = new Lookup(path, 10);
    expect(() => lookup.ordinal('a')).toThrow(damaged('a record has 1 passages up to 10 of 10'));
    expect(() => lookup.ordinal('b')).toThrow(damaged('an ordinal runs past its record'));
    expect(lookup.ordinal('c')).toBe(9);
    expect(lookup.ordinal('d')).toBeUndefined();
    lookup.close();
  });

  test('is refused if a term has fewer scores than passages', async () => {
    writeFileSync(path, lookupFile(new Map([['tword', Uint8Array.of(2, 0, 1, 255)]])));
    const lookup = new Lookup(path, 10);
    await expect(scoreTerms(listsOf(lookup), 'word', 10)).rejects.toThrow(
      damaged('a term has 2 passages, but 1 scores'),
    );
    lookup.close();
  });
});
