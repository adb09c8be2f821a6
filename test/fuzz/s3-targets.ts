import { crc32 } from 'node:zlib';
import type { Wanted } from '../../index/aws/s3.ts';
import { describeFile } from '../../index/format/checks.ts';
import { digestOf } from '../../index/format/json-file.ts';
import { KEYS, LOOKUP } from '../../index/format/lookup-file.ts';
import { Lru } from '../../index/kit/lru.ts';
import {
  readCurrent,
  readGeneration,
  readGone,
  withoutGone,
} from '../../index/store/s3vectors/generation.ts';
import { RangeLists, SegmentLookup } from '../../index/store/s3vectors/lists.ts';
import { HASHES, parseVectorKey } from '../../index/store/s3vectors/objects.ts';
import { readWork } from '../../index/store/s3vectors/publish/journal.ts';
import { readHashes } from '../../index/store/s3vectors/publish/plan.ts';
import type { Service } from '../../index/store/s3vectors/publish/service.ts';
import { decodeRow, readPlace } from '../../index/store/s3vectors/row.ts';
import { SIZES, WORD } from './file-targets.ts';
import { expectClear, jsonObject, sectionFile, type Target } from './target.ts';

const NAME = 's3://bucket/index/object';

/** A row with the right checksum. */
function withChecksum(input: Buffer): Buffer {
  const row = Buffer.from(input);
  if (row.length >= 5) row.writeUInt32LE(crc32(row.subarray(5)), 1);
  return row;
}

/** Every object and row of an index in S3 Vectors. */
export const s3Targets: Record<string, Target> = {
  's3-generation': (input) => {
    const { digest: _, ...contents } = jsonObject(input) ?? {};
    const isObject = Object.keys(contents).length > 0;
    const bytes = isObject ? Buffer.from(JSON.stringify({ ...contents, digest: digestOf(contents) })) : input;
    return expectClear(NAME, () => {
      const generation = readGeneration(bytes, NAME);
      for (const segment of generation.segments) readGone(segment, undefined, NAME);
    });
  },
  's3-current': (input) => expectClear(NAME, () => readCurrent(input, NAME)),
  's3-gone': (input) =>
    expectClear(NAME, () => {
      const segment = { id: '0a1b2c3d', rows: SIZES.passages, goneRows: (input[0] ?? 0) % 8, files: {} };
      const gone = readGone(segment, input.subarray(1), NAME);
      withoutGone(gone, Uint32Array.of(0, 2, 5), 10, Uint8Array.of(1, 2, 3));
    }),
  's3-row': (input) => expectClear(NAME, () => decodeRow(withChecksum(input), SIZES.dimensions, NAME)),
  's3-metadata': (input) => {
    const text = input.toString();
    parseVectorKey(text);
    const metadata = jsonObject(input) ?? { segment: '0a1b2c3d', fields: [], row: text };
    return expectClear(NAME, () => {
      const place = readPlace(metadata, NAME);
      if ('bytes' in place) decodeRow(withChecksum(Buffer.from(place.bytes)), SIZES.dimensions, NAME);
    });
  },
  's3-lookup': async (input) => {
    const bytes = Buffer.from(sectionFile(LOOKUP, input));
    const get = async (
      _: string,
      { range: { start, length } = { start: 0, length: bytes.length } }: Wanted = {},
    ) => ({
      bytes: bytes.subarray(start, start + length),
      etag: '',
    });
    const open = () =>
      new SegmentLookup({ get }, NAME, describeFile(bytes), SIZES.passages, new Lru(1 << 20));
    const segments = [
      { lookup: open(), start: 0, gone: Uint32Array.of(1) },
      { lookup: open(), start: SIZES.passages, gone: new Uint32Array(0) },
    ];
    const lists = new RangeLists(segments, NAME);
    await expectClear(NAME, () => lists.list(KEYS.term + WORD));
    await expectClear(NAME, () => lists.list(`${KEYS.field}lang\0en`));
    await expectClear(NAME, () => lists.ordinal('p1'));
  },
  's3-hashes': (input) =>
    expectClear(NAME, () => readHashes(sectionFile(HASHES, input), SIZES.passages, NAME)),
  's3-journal': (input) => {
    const objects = { find: async () => ({ bytes: Buffer.from(input), etag: 'tag' }) };
    const service = { objects, nameOf: () => NAME };
    return expectClear(NAME, () => readWork(service as unknown as Service));
  },
};
