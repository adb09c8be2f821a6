import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Wanted } from '../../../../index/aws/s3.ts';
import { describeFile } from '../../../../index/format/checks.ts';
import { writeAscending, writeList } from '../../../../index/format/varint.ts';
import { Lru } from '../../../../index/kit/lru.ts';
import { type Parts, RangeLists, SegmentLookup } from '../../../../index/store/s3vectors/lists.ts';
import { Unavailable } from '../../../../index/store/store.ts';
import { lookupFile } from '../../../fixtures/files.ts';

/** Objects in memory, and the calls that read them. */
class Objects {
  readonly calls: { name: string; start: number; length: number }[] = [];
  readonly #objects = new Map<string, Buffer>();
  fail = false;

  put(name: string, bytes: Uint8Array): void {
    this.#objects.set(name, Buffer.from(bytes));
  }

  async get(name: string, { range: { start, length } = WHOLE }: Wanted = {}) {
    this.calls.push({ name, start, length });
    await new Promise(setImmediate);
    if (this.fail) throw new Unavailable('Away.');
    return { bytes: this.#objects.get(name)!.subarray(start, start + length), etag: '' };
  }
}

const WHOLE = { start: 0, length: Number.POSITIVE_INFINITY };

interface Row {
  gone: boolean;
  words: Record<string, number>;
}

const WORDS = ['a', 'b', 'c'];
const row = fc.record({
  gone: fc.boolean(),
  words: fc.dictionary(fc.constantFrom(...WORDS), fc.integer({ min: 1, max: 255 })),
});
const segments = fc.array(fc.array(row, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 });

/** The records of a segment: terms with scores, fields without, and ids. */
function recordsOf(rows: Row[], first: number): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (const word of WORDS) {
    const having = rows.flatMap(({ words }, i) => (word in words ? [i] : []));
    if (having.length === 0) continue;
    const scores = Uint8Array.from(having, (i) => rows[i]!.words[word]!);
    records.set(`t${word}`, Buffer.concat([writeList(having), scores]));
    records.set(`f${word}`, writeList(having));
  }
  for (const i of rows.keys()) records.set(`iid ${first + i}`, writeAscending([i]));
  return records;
}

/** The lists of segments, whose files are small or large. */
function open(
  all: Row[][],
  { large = false, blocks = new Lru(1 << 20) }: { large?: boolean; blocks?: Parts } = {},
): { lists: RangeLists; objects: Objects } {
  const objects = new Objects();
  let start = 0;
  const opened = all.map((rows, number) => {
    const records = recordsOf(rows, start);
    if (large) records.set('filler', new Uint8Array(1 << 20));
    const bytes = lookupFile(records);
    const name = `segments/${number}/lookup.bin`;
    objects.put(name, bytes);
    const lookup = new SegmentLookup(objects, name, describeFile(bytes), rows.length, blocks);
    const gone = Uint32Array.from(rows.flatMap((one, i) => (one.gone ? [i] : [])));
    const segment = { lookup, start, gone };
    start += rows.length;
    return segment;
  });
  return { lists: new RangeLists(opened, 'generations/1'), objects };
}

/** What a plain index of the rows that are not gone would contain. */
function expected(all: Row[][], word: string, withScores: boolean) {
  const having = all
    .flat()
    .flatMap(({ gone, words }, ordinal) =>
      !gone && word in words ? [{ ordinal, score: words[word]! }] : [],
    );
  if (having.length === 0) return undefined;
  return {
    ordinals: having.map(({ ordinal }) => ordinal),
    rest: withScores ? having.map(({ score }) => score) : [],
  };
}

async function read(lists: RangeLists, key: string) {
  const list = await lists.list(key);
  return list && { ordinals: [...list.ordinals], rest: [...list.rest] };
}

describe.each([
  ['small', false, 100],
  ['large', true, 20],
])('the lists of segments with %s files', (_, large, numRuns) => {
  test('are those of a plain index of the rows that are not gone', async () => {
    await fc.assert(
      fc.asyncProperty(segments, async (all) => {
        const { lists } = open(all, { large });
        await Promise.all(
          WORDS.map(async (word) => {
            expect(await read(lists, `t${word}`)).toEqual(expected(all, word, true));
            expect(await read(lists, `f${word}`)).toEqual(expected(all, word, false));
          }),
        );
        const rows = all.flat();
        const found = await Promise.all(rows.map((_, i) => lists.ordinal(`id ${i}`)));
        expect(found).toEqual(rows.map(({ gone }, i) => (gone ? undefined : i)));
        expect(await lists.ordinal('another')).toBeUndefined();
        expect(await lists.list('tanother')).toBeUndefined();
      }),
      { numRuns },
    );
  });
});

const rows = (count: number): Row[] =>
  Array.from({ length: count }, () => ({ gone: false, words: { a: 1, b: 2 } }));

test('a small file is read whole, once', async () => {
  const { lists, objects } = open([rows(3), rows(2)]);
  await Promise.all([read(lists, 'ta'), read(lists, 'tb'), lists.ordinal('id 1')]);
  await read(lists, 'fa');
  expect(objects.calls.map(({ name, start }) => [name, start])).toEqual([
    ['segments/0/lookup.bin', 0],
    ['segments/1/lookup.bin', 0],
  ]);
});

test('a large file is read in blocks, each once', async () => {
  const { lists, objects } = open([rows(3)], { large: true });
  await Promise.all([read(lists, 'ta'), read(lists, 'tb'), lists.ordinal('id 1')]);
  await read(lists, 'fa');
  const blocks = objects.calls.map(({ start }) => start / (16 << 10));
  expect(blocks).toEqual([...new Set(blocks)]);
  // The table, and the records at the start of their section, are in the first block.
  expect(blocks).toEqual([0]);
});

test('blocks beyond the size of the cache are read again', async () => {
  const { lists, objects } = open([rows(3)], { large: true, blocks: new Lru(1) });
  // The last block stays.
  await lists.single('filler');
  const before = objects.calls.length;
  await read(lists, 'ta');
  expect(objects.calls.length).toBeGreaterThan(before);
});

test('long lists are read with one more call', async () => {
  const { lists, objects } = open([rows(3), rows(60_000)], { large: true });
  const list = await lists.list('ta');
  expect(list?.ordinals).toHaveLength(60_003);
  expect(list?.rest).toEqual(Buffer.alloc(60_003, 1));
  const calls = objects.calls.filter(({ name }) => name === 'segments/1/lookup.bin');
  expect(calls.length).toBeLessThanOrEqual(4);
});

test('a failed read is tried again by the next', async () => {
  for (const large of [false, true]) {
    const { lists, objects } = open([rows(3)], { large });
    objects.fail = true;
    await expect(lists.list('ta')).rejects.toThrow(new Unavailable('Away.'));
    objects.fail = false;
    expect(await read(lists, 'ta')).toEqual({ ordinals: [0, 1, 2], rest: [1, 1, 1] });
  }
});

test('an id in two segments is damage, unless one of them is gone', async () => {
  const objects = new Objects();
  const bytes = lookupFile(new Map([['ix', writeAscending([0])]]));
  objects.put('lookup.bin', bytes);
  const lookup = () => new SegmentLookup(objects, 'lookup.bin', describeFile(bytes), 1, new Lru(1));
  const segment = (start: number, gone: number[]) => ({
    lookup: lookup(),
    start,
    gone: Uint32Array.from(gone),
  });
  const lists = (...gone: number[]) => new RangeLists([segment(0, gone), segment(1, [])], 'generations/1');
  expect(await lists(0).ordinal('x')).toBe(1);
  await expect(lists().ordinal('x')).rejects.toThrow(
    'generations/1 is damaged: two of its rows have the same id',
  );
});

describe('a damaged file is reported with its name', () => {
  const bytes = lookupFile(recordsOf(rows(3), 0));
  const lists = (stored: Uint8Array, file = describeFile(bytes)) => {
    const objects = new Objects();
    objects.put('lookup.bin', stored);
    const lookup = new SegmentLookup(objects, 'lookup.bin', file, 3, new Lru(1));
    return new RangeLists([{ lookup, start: 0, gone: new Uint32Array() }], 'generations/1');
  };

  test.each([
    ['a changed byte', Buffer.from(bytes).fill(1, 60, 61), /^lookup.bin is damaged: it has the checksum/],
    ['a missing end', bytes.subarray(0, -8), /^lookup.bin is damaged: it has \d+ bytes, but its manifest/],
  ])('%s', async (_, stored, message) => {
    await expect(lists(stored).list('ta')).rejects.toThrow(message);
  });

  test.each([
    [
      'a term with more rows than scores',
      Buffer.concat([writeList([0, 1]), Buffer.of(7)]),
      /2 rows, but 1 bytes/,
    ],
    ['a row beyond the segment', writeList([3]), /1 passages up to 3 of 3/],
    ['a list that ends early', Buffer.of(5, 1), /runs past its record/],
  ])('%s', async (_, record, message) => {
    const other = lookupFile(new Map([['ta', record]]));
    await expect(lists(other, describeFile(other)).list('ta')).rejects.toThrow(message);
    await expect(lists(other, describeFile(other)).list('ta')).rejects.toThrow(/^lookup.bin is damaged/);
  });

  test('a large object that ends early', async () => {
    const large = lookupFile(new Map([['ta', new Uint8Array(2 << 20)]]));
    await expect(lists(large.subarray(0, 100), describeFile(large)).list('ta')).rejects.toThrow(
      /^lookup.bin is damaged: it has 100 of the 16384 bytes from byte 0/,
    );
  });
});
