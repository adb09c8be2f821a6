import { expect, test } from 'vitest';
import {
  BUNDLE_LIMIT,
  bundleSpace,
  bytesBesideIndexes,
  describeBundle,
  isNearlyFull,
} from '../../../index/ingest/bundle-space.ts';

test('a bundle has the size of all its files, and space for more passages like those in it', () => {
  expect(bundleSpace(62_144_000, { bytes: 50_000_000, passages: 10_000 })).toEqual({
    bytes: 112_144_000,
    limit: 262_144_000,
    passages: 10_000,
    passagesLeft: 30_000,
  });
});

test('a bundle that is too large has negative space', () => {
  const space = bundleSpace(62_144_000, { bytes: 400_000_000, passages: 100_000 });
  expect(space.passagesLeft).toBe(-50_000);
});

test('the size beside the indexes is that of the model, and of code and library for its engine', () => {
  const files = {
    'encoder.bin': { bytes: 20_000_000, crc32: '' },
    'rows.bin': { bytes: 50_000_000, crc32: '' },
  };
  expect(bytesBesideIndexes({ engine: 'packed', files })).toBe(71_000_000);
  expect(bytesBesideIndexes({ engine: 'onnx', files })).toBe(88_300_000);
});

test('the description says how full the bundle is, what still fits, and what to do after that', () => {
  expect(describeBundle(bundleSpace(83e6, { bytes: 130_700_000, passages: 33_000 }))).toBe(
    'The function takes 213 of 262 MB (81 %). About 12,000 more passages fit. Past that: store s3vectors.',
  );
  expect(describeBundle(bundleSpace(83e6, { bytes: 1_000, passages: 1 }))).toContain(
    'About 170,000 more passages fit.',
  );
  expect(describeBundle(bundleSpace(BUNDLE_LIMIT - 2000, { bytes: 1999, passages: 1 }))).toContain(
    '262 of 262 MB (99 %). About 0 more passages fit.',
  );
});

test('the description of a bundle that is too large says how many passages fit, and names the remedies', () => {
  expect(describeBundle(bundleSpace(83e6, { bytes: 430e6, passages: 100_000 }))).toBe(
    "The function would take 513 MB, but Lambda's limit is 262 MB: about 41,000 of these 100,000 passages fit. " +
      'Index fewer or shorter passages, build with --tokens off, or set "store": "s3vectors" in cdk.json.',
  );
  // Lambda refuses a function of exactly the limit.
  expect(describeBundle(bundleSpace(BUNDLE_LIMIT - 2000, { bytes: 2000, passages: 2 }))).toContain(
    'would take 263 MB',
  );
});

test.each([
  [209_715_200, false],
  [209_715_201, true],
])('a bundle of %d bytes is nearly full: %s', (bytes, expected) => {
  expect(isNearlyFull(bundleSpace(bytes - 1000, { bytes: 1000, passages: 1 }))).toBe(expected);
});
