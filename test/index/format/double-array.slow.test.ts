import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDoubleArray } from '../../../index/compile/compile-tokenizer.ts';
import { visitPrefixes } from '../../../index/format/tokenizer-file.ts';
import { runs } from '../../fixtures/runs.ts';

/** Few different bytes, so that keys share prefixes and texts contain keys. */
const byte = fc.oneof(fc.constantFrom(1, 2, 97, 98, 255), fc.integer({ min: 1, max: 255 }));
const keys = fc
  .uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 8 }).map(withoutZeros), { selector: String })
  .map(sorted);
const denseKeys = fc
  .uniqueArray(fc.array(byte, { minLength: 1, maxLength: 5 }).map(Uint8Array.from.bind(Uint8Array)), {
    selector: String,
    maxLength: 60,
  })
  .map(sorted);
const text = fc
  .array(fc.oneof(byte, fc.constant(0)), { maxLength: 12 })
  .map(Uint8Array.from.bind(Uint8Array));

function withoutZeros(bytes: Uint8Array): Uint8Array {
  return bytes.map((value) => value || 1);
}

function sorted(list: Uint8Array[]): Uint8Array[] {
  return list.toSorted(Buffer.compare);
}

/** The matches of the trie in `bytes[start, end)`, in order. */
function found(units: Uint32Array, bytes: Uint8Array, start = 0, end = bytes.length) {
  const visits: { value: number; end: number }[] = [];
  visitPrefixes(units, bytes, start, end, (value, at) => {
    visits.push({ value, end: at });
    return undefined;
  });
  return visits;
}

/** The expected matches, by comparing every key. */
function expected(list: Uint8Array[], values: number[], bytes: Uint8Array, start = 0, end = bytes.length) {
  return list
    .map((key, i) => ({ key, value: values[i]!, end: start + key.length }))
    .filter(
      (one) => one.end <= end && Buffer.compare(one.key, bytes.subarray(start, start + one.key.length)) === 0,
    )
    .sort((a, b) => a.end - b.end)
    .map(({ value, end: at }) => ({ value, end: at }));
}

test('finds every key that is a prefix of a text, shortest first', () => {
  fc.assert(
    fc.property(fc.oneof(keys, denseKeys), fc.array(text), (list, texts) => {
      const values = list.map((_, i) => (i * 0x9e3779b1) >>> 1);
      const units = buildDoubleArray(list, values);
      const all = [...texts, ...list];
      expect(all.map((one) => found(units, one))).toEqual(all.map((one) => expected(list, values, one)));
    }),
    { numRuns: runs(300) },
  );
});

test('finds no key across a zero byte', () => {
  fc.assert(
    fc.property(denseKeys, fc.nat(), fc.nat(), (list, which, where) => {
      fc.pre(list.length > 0);
      const key = [...list[which % list.length]!];
      const torn = Uint8Array.from(key.toSpliced(where % key.length, 0, 0));
      const values = list.map((_, i) => i);
      expect(found(buildDoubleArray(list, values), torn)).toEqual(expected(list, values, torn));
    }),
    { numRuns: runs(300) },
  );
});

test('reads no byte outside the given range', () => {
  fc.assert(
    fc.property(denseKeys, text, fc.nat(12), fc.nat(12), (list, one, a, b) => {
      const [start, end] = [Math.min(a, b, one.length), Math.min(Math.max(a, b), one.length)];
      const values = list.map((_, i) => i);
      expect(found(buildDoubleArray(list, values), one, start, end)).toEqual(
        expected(list, values, one, start, end),
      );
    }),
  );
});

test('stops when the visitor returns true', () => {
  const list = ['a', 'ab', 'abc'].map((key) => Buffer.from(key));
  const visits: number[] = [];
  visitPrefixes(buildDoubleArray(list, [0, 1, 2]), Buffer.from('abcd'), 0, 4, (value) => {
    visits.push(value);
    return value === 1;
  });
  expect(visits).toEqual([0, 1]);
});

test('finds each of a hundred thousand keys, beyond the units searched for free slots', () => {
  const list = sorted(Array.from({ length: 100_000 }, (_, i) => Buffer.from(`${i * 7919}`)));
  const values = list.map((_, i) => i);
  const units = buildDoubleArray(list, values);
  const lost = list.filter((key, i) => found(units, key).at(-1)?.value !== i);
  expect(lost).toEqual([]);
});

test.runIf(process.env.ALL_RUNS)('refuses more keys than the layout can address', () => {
  const list = Array.from({ length: 700_000 }, (_, i) => {
    const key = Buffer.alloc(4, 1);
    for (let at = 0, rest = i; at < 4; at++, rest = Math.floor(rest / 200)) key[3 - at] = 1 + (rest % 200);
    return Buffer.concat([key, Buffer.from(`${i % 10}zz`)]);
  });
  expect(() =>
    buildDoubleArray(
      list,
      list.map((_, i) => i),
    ),
  ).toThrow(/^The vocabulary needs more than 2097152 trie units, the limit of this format\. /);
});
