import { expect, test } from 'vitest';
import { formatAddress, isAddress, parseAddress } from '../../../../index/store/s3vectors/address.ts';

test('reads the bucket and the name of an address, with passages as the default name', () => {
  expect(parseAddress('s3vectors://my-bucket/manuals')).toEqual({ bucket: 'my-bucket', name: 'manuals' });
  for (const text of ['s3vectors://my-bucket', 's3vectors://my-bucket/', 's3vectors://my-bucket/passages/'])
    expect(formatAddress(parseAddress(text))).toBe('s3vectors://my-bucket/passages');
});

test('tells addresses from folders', () => {
  expect(isAddress('s3vectors://b')).toBe(true);
  for (const folder of ['.polyseek/index', 's3vectors', 's3://bucket/name', '/s3vectors://b'])
    expect(isAddress(folder)).toBe(false);
});

test.each([
  ['s3vectors://', 'it has no bucket'],
  ['s3vectors:///name', 'it has no bucket'],
  ['s3vectors://my-bucket/a/b', 'the name of the vector index contains a slash'],
  ['s3vectors://My-Bucket', 'the name of the bucket is "My-Bucket", but must have 3 to 63'],
  ['s3vectors://-bucket', 'the name of the bucket is "-bucket", but must have 3 to 63'],
  ['s3vectors://my-bucket/ab', 'the name of the vector index is "ab", but must have 3 to 63'],
  [`s3vectors://my-bucket/${'a'.repeat(64)}`, 'the name of the vector index is'],
  ['s3://my-bucket', 'it does not start with s3vectors://'],
])('refuses %s and says how to write it', (text, problem) => {
  expect(() => parseAddress(text)).toThrow(problem);
  expect(() => parseAddress(text)).toThrow('Write it as s3vectors://BUCKET/NAME.');
});
