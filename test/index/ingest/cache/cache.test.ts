import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { Cache } from '../../../../index/ingest/cache/cache.ts';
import { temporaryFolder } from '../../../fixtures/index.ts';

const root = temporaryFolder();
const folder = join(root, 'cache');
const segments = () => readdirSync(folder).map((name) => join(folder, name));
const bytes = () => segments().reduce((sum, path) => sum + statSync(path).size, 0);
/** The value of a key in these tests. */
const valueFor = (key: string) => Buffer.from(key.repeat(20));

beforeEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a process that uses the cache. */
function use<T>(action: (cache: Cache) => T, maxBytes?: number): T {
  const cache = new Cache(folder, maxBytes);
  try {
    return action(cache);
  } finally {
    cache.close();
  }
}

const put = (...keys: string[]) =>
  use((cache) => {
    for (const key of keys) cache.put('kind', key, valueFor(key));
  });
const found = (...keys: string[]) =>
  use((cache) => keys.filter((key) => cache.get('kind', key)?.equals(valueFor(key))));

/** Makes all segments so old that no process can be writing them. */
function age(time = 1): void {
  for (const path of segments()) utimesSync(path, time, time);
}

test('returns any values to other processes, the newest of a key', () => {
  const values = fc.array(fc.tuple(fc.string(), fc.string(), fc.uint8Array({ maxLength: 6000 })));
  fc.assert(
    fc.property(fc.array(values, { maxLength: 4 }), (processes) => {
      rmSync(folder, { recursive: true, force: true });
      const expected = new Map<string, { kind: string; key: string; value: Uint8Array }>();
      for (const [i, own] of processes.entries()) {
        use((cache) => {
          for (const [kind, key, value] of own) {
            cache.put(kind, key, value);
            expected.set(JSON.stringify([kind, key]), { kind, key, value });
            expect(cache.get(kind, key)?.equals(value)).toBe(true);
          }
        });
        // Segments of one millisecond have no order.
        if (own.length > 0)
          for (const path of segments()) if (statSync(path).mtimeMs > 1e6) utimesSync(path, i + 1, i + 1);
      }
      use((cache) => {
        expect(cache.get('no kind', 'no key')).toBeUndefined();
        for (const { kind, key, value } of expected.values()) {
          expect(cache.has(kind, key)).toBe(true);
          expect(cache.get(kind, key)?.equals(value)).toBe(true);
        }
      });
    }),
  );
});

test('a kind and a key are not confused with others', () => {
  use((cache) => cache.put('a', 'bc', valueFor('x')));
  use((cache) => expect([cache.get('ab', 'c'), cache.get('a', 'b')]).toEqual([undefined, undefined]));
});

test('two processes write at once, and each sees what was there before', () => {
  put('old');
  const [a, b] = [new Cache(folder), new Cache(folder)];
  for (let i = 0; i < 100; i++) {
    a.put('kind', `a${i}`, valueFor(`a${i}`));
    b.put('kind', `b${i}`, valueFor(`b${i}`));
    if (i % 30 === 0) a.flush();
  }
  expect(b.get('kind', 'old')).toEqual(valueFor('old'));
  a.close();
  b.close();
  const keys = ['old', ...Array.from({ length: 100 }, (_, i) => [`a${i}`, `b${i}`]).flat()];
  expect(found(...keys)).toEqual(keys);
});

test('cut at any length, the values before the cut are there', () => {
  const keys = ['one', 'two', 'three'];
  put(...keys);
  const [path] = segments();
  const whole = readFileSync(path!);
  const ends = keys.map((key) => whole.indexOf(valueFor(key)) + valueFor(key).length);
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path!, whole.subarray(0, length));
    expect(found(...keys)).toEqual(keys.filter((_, i) => ends[i]! <= length));
  }
});

test('with any changed bytes, a value is right or missing, and can be written again', () => {
  const keys = ['one', 'two', 'three'];
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 5 }), (numbers, changes) => {
      rmSync(folder, { recursive: true, force: true });
      put(...keys);
      const [path] = segments();
      const changed = readFileSync(path!);
      for (let i = 0; i < changes; i++) {
        const [at, value] = [numbers.next().value!, numbers.next().value!];
        changed.writeUInt8(value % 256, at % changed.length);
      }
      writeFileSync(path!, changed);
      use((cache) => {
        for (const key of keys) {
          const value = cache.get('kind', key);
          if (value) expect(value).toEqual(valueFor(key));
          else cache.put('kind', key, valueFor(key));
        }
      });
      utimesSync(path!, 1, 1);
      expect(found(...keys)).toEqual(keys);
    }),
  );
});

test('foreign files are ignored', () => {
  mkdirSync(join(folder, 'folder.cache'), { recursive: true });
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  writeFileSync(join(folder, 'empty.cache'), '');
  put('a');
  expect(found('a')).toEqual(['a']);
});

test('a folder that cannot be written is no error', () => {
  writeFileSync(folder, 'a file');
  use((cache) => {
    cache.put('kind', 'a', valueFor('a'));
    expect(cache.get('kind', 'a')).toBeUndefined();
    cache.tidy();
  });
  expect(readFileSync(folder, 'utf8')).toBe('a file');
});

test('above its limit, the values of this build stay, and the newest others up to half of it', () => {
  const record = 28 + valueFor('a0').length;
  const keys = (name: string) => Array.from({ length: 10 }, (_, i) => `${name}${i}`);
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    put(...keys(name));
    for (const path of segments()) if (statSync(path).mtimeMs > 1e6) utimesSync(path, i + 1, i + 1);
  }
  use((cache) => {
    for (const key of ['a3', 'a4']) cache.get('kind', key);
    cache.put('kind', 'd', valueFor('d'));
    cache.tidy();
  }, 30 * record);
  expect(found(...keys('a'))).toEqual(['a3', 'a4']);
  expect(found(...keys('b'))).toEqual(['b8', 'b9']);
  expect(found('d', ...keys('c'))).toEqual(['d', ...keys('c')]);
  expect(bytes()).toBeLessThanOrEqual(15 * record);
});

test('segments of a clock that was days ahead are merged too, and their values stay', () => {
  const keys = Array.from({ length: 20 }, (_, i) => `key${i}`);
  for (const key of keys) put(key);
  age(Date.now() / 1000 + 3 * 86_400);
  use((cache) => cache.tidy());
  expect(segments()).toHaveLength(2);
  expect(found(...keys)).toEqual(keys);
});

test('many segments are merged, except the largest and those that another process may be writing', () => {
  const keys = Array.from({ length: 16 }, (_, i) => `key${i}`);
  for (const key of keys) put(key);
  const many = Array.from({ length: 50 }, (_, i) => `many${i}`);
  put(...many);
  age();
  put('recent');
  use((cache) => cache.tidy());
  expect(segments()).toHaveLength(3);
  expect(found(...keys, ...many, 'recent')).toEqual([...keys, ...many, 'recent']);
});
