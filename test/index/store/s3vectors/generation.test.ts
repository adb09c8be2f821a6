import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../../../../index/format/json-file.ts';
import {
  type Generation,
  readCurrent,
  readGeneration,
  readGone,
  type Segment,
  writeCurrent,
  writeGeneration,
  writeGone,
} from '../../../../index/store/s3vectors/generation.ts';
import { parseVectorKey, vectorKey } from '../../../../index/store/s3vectors/objects.ts';
import { formatPlace, readPlace } from '../../../../index/store/s3vectors/row.ts';

const file = { bytes: 8, crc32: '00000000' };
const files = { 'lookup.bin': file, 'hashes.bin': file };

const generation: Omit<Generation, 'format' | 'digest'> = {
  generation: 7,
  created: '2026-11-24T00:00:00.000Z',
  version: '0123456789ab',
  model: { name: 'test', hash: 'a', neutral: null, tokens: null },
  dimensions: 16,
  counts: { documents: 2, passages: 12, sentences: 20, terms: 9 },
  fields: ['lang', 'source'],
  languages: [
    ['de', 4],
    ['en', 8],
  ],
  segments: [
    { id: '0000000a', rows: 10, files, ...writeGone([0, 9]) },
    { id: '0000000b', rows: 4, files, ...writeGone([]) },
  ],
  files: { 'languages.bin': file, 'overview.json': file, 'order.bin': file },
};

test('reads back a manifest and its segments', () => {
  const read = readGeneration(writeGeneration(generation), 'manifest');
  expect(read).toMatchObject({ format: 1, ...generation });
  expect(read.segments.map((segment) => [...readGone(segment, undefined, 'manifest')])).toEqual([[0, 9], []]);
});

test('refuses a manifest that is cut at any byte or has a flipped bit in any byte', () => {
  const bytes = writeGeneration(generation);
  for (let at = 0; at < bytes.length; at++) {
    expect(() => readGeneration(bytes.subarray(0, at), 'manifest')).toThrow(
      /^manifest is damaged.*--rewrite/,
    );
    const before = bytes[at]!;
    bytes[at]! ^= 1;
    expect(() => readGeneration(bytes, 'manifest')).toThrow(/^manifest (is damaged|has format)/);
    bytes[at] = before;
  }
});

const [first, second] = generation.segments as [Segment, Segment];

test.each<[string, object]>([
  ['no segments', { segments: [] }],
  ['a segment whose id is a path', { segments: [{ ...first, id: '../../..' }, second] }],
  ['more gone rows than rows', { segments: [{ ...first, goneRows: 11 }, second] }],
  ['fewer passages than it counts', { segments: [second] }],
  ['a segment without lookup.bin', { segments: [{ ...first, files: { 'hashes.bin': file } }, second] }],
  ['no languages.bin', { files: { 'overview.json': file } }],
  ['a language without passages', { languages: [['de', 0]] }],
])('refuses a manifest with %s, although its digest is right', (_, change) => {
  const forged: Record<string, unknown> = { format: 1, ...generation, ...change };
  const bytes = Buffer.from(JSON.stringify({ ...forged, digest: digestOf(forged) }));
  expect(() => readGeneration(bytes, 'manifest')).toThrow(/^manifest is damaged/);
});

test('says so if another version of polyseek wrote the manifest', () => {
  const other = Buffer.from('{"format":2}');
  expect(() => readGeneration(other, 'manifest')).toThrow('manifest has format 2, but this polyseek reads');
  expect(() => readCurrent(other, 'current')).toThrow('current has format 2, but this polyseek reads');
});

test('reads back gone rows, in the manifest or in an object', () => {
  const all = fc.uniqueArray(fc.nat(200_000)).map((rows) => rows.sort((a, b) => a - b));
  fc.assert(
    fc.property(all, (gone) => {
      const { object, ...keys } = writeGone(gone);
      const segment = { id: '0000000a', rows: 200_001, files, ...keys };
      expect(object).toBeUndefined();
      expect([...readGone(segment, object, 'manifest')]).toEqual(gone);
    }),
  );
  const gone = Uint32Array.from({ length: 100_000 }, (_, i) => 2 * i);
  const { object, ...keys } = writeGone(gone);
  const segment: Segment = { id: '0000000a', rows: 200_000, files, ...keys };
  expect(segment.gone).toBeUndefined();
  expect(readGone(segment, object, 'manifest')).toEqual(gone);
  expect(() => readGone(segment, undefined, 'manifest')).toThrow('its object gone-0000000a.bin is missing');
});

test.each([
  ['a number that is no row', [3, 10]],
  ['fewer numbers than it counts', [3]],
  ['more numbers than it counts', [3, 4, 5]],
  ['a number twice', [3, 3]],
])('refuses a list of gone rows with %s', (_, rows) => {
  const { gone } = writeGone(rows) as { gone: string };
  const segment: Segment = { ...first, goneRows: 2, gone };
  expect(() => readGone(segment, undefined, 'manifest')).toThrow(/^manifest is damaged: its list of gone/);
});

test('reads back current.json, and refuses it when it is cut', () => {
  const current = {
    generation: 7,
    since: '2026-11-24T00:00:00.000Z',
    replaced: [{ generation: 6, until: '2026-11-24T00:00:00.000Z' }],
  };
  const bytes = writeCurrent(current);
  expect(readCurrent(bytes, 'current')).toEqual({ format: 1, ...current });
  for (let length = 0; length < bytes.length; length++)
    expect(() => readCurrent(bytes.subarray(0, length), 'current')).toThrow(/^current is damaged/);
  for (const json of [
    'null',
    '7',
    '[]',
    '{"format":1}',
    '{"format":1,"generation":0,"since":"","replaced":[]}',
  ])
    expect(() => readCurrent(Buffer.from(json), 'current')).toThrow(/^current is damaged/);
});

test('finds a row in its metadata or by its place', () => {
  const metadata = (row: unknown) => ({ segment: '0000000a', fields: [], row });
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.nat(), (bytes, start, length) => {
      const inline = readPlace(metadata(formatPlace({ bytes })), 'row');
      expect(inline).toEqual({ bytes: Buffer.from(bytes) });
      expect(readPlace(metadata(formatPlace({ start, length })), 'row')).toEqual({ start, length });
    }),
  );
  const invalid = [
    undefined,
    null,
    'text',
    metadata(7),
    metadata(undefined),
    { ...metadata(''), segment: 1 },
  ];
  for (const one of invalid) expect(() => readPlace(one, 'row 7')).toThrow(/^row 7 is damaged/);
});

test('reads only the keys of vectors that it writes', () => {
  expect(parseVectorKey(vectorKey('0000000a', 12))).toEqual({ segment: '0000000a', row: 12 });
  for (const key of [
    '0000000a',
    '0000000a/',
    '0000000a/01',
    '0000000a/-1',
    '0000000a/1/2',
    '0000000A/1',
    '/1',
  ])
    expect(parseVectorKey(key)).toBeUndefined();
});
