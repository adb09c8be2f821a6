import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CacheSync } from '../../../functions/builder/cache-sync.ts';
import { Bucket } from '../../../index/aws/s3.ts';
import { Cache } from '../../../index/ingest/cache/cache.ts';
import { type Aws, startAws } from '../../fixtures/aws.ts';
import { createBucket } from '../../fixtures/aws-setup.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { missingTools } from '../../fixtures/tools.ts';

const NAME = 'polyseek-cache';
const PREFIX = 'builder/cache/';

describe.skipIf(missingTools('moto'))('the cache in the bucket', () => {
  const folder = temporaryFolder();
  let aws: Aws;
  let bucket: Bucket;
  let disks = 0;

  beforeAll(async () => {
    aws = await startAws();
    await createBucket(aws, NAME);
    bucket = new Bucket(NAME, aws.s3);
  });
  afterAll(() => aws?.stop());
  beforeEach(async () => {
    for (const Key of await keys()) await aws.s3.send(new DeleteObjectCommand({ Bucket: NAME, Key }));
  });

  async function keys(): Promise<string[]> {
    const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: NAME }));
    return Contents.map(({ Key }) => Key!);
  }
  const newDisk = () => {
    const disk = join(folder, String(disks++));
    mkdirSync(disk);
    return disk;
  };
  const put = (disk: string, key: string, value: string) => {
    const cache = new Cache(disk);
    cache.put('text', key, Buffer.from(value));
    cache.close();
  };
  const readValue = (disk: string, key: string) => {
    const cache = new Cache(disk, undefined, true);
    const value = cache.get('text', key)?.toString();
    cache.close();
    return value;
  };
  async function synced(disk = newDisk()) {
    const sync = new CacheSync(bucket, disk);
    await sync.download();
    return { disk, sync };
  }

  test('gives a new disk the values of another one', async () => {
    const first = await synced();
    put(first.disk, 'a', 'A');
    await first.sync.save();
    put(first.disk, 'b', 'B');
    await first.sync.save();
    const { disk } = await synced();
    expect([readValue(disk, 'a'), readValue(disk, 'b'), readValue(disk, 'c')]).toEqual(['A', 'B', undefined]);
  });

  test('transfers only what is new', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'A');
    await sync.save();
    expect(sync.uploads).toBe(1);
    const before = aws.calls.length;
    await sync.save();
    expect(sync.uploads).toBe(1);
    await synced(disk);
    expect(aws.calls.slice(before).map(({ action }) => action)).toEqual(['s3:ListBucket']);
  });

  test('uploads a segment again when it has grown, as after a killed build', async () => {
    const { disk, sync } = await synced();
    const cache = new Cache(disk);
    cache.put('text', 'a', Buffer.from('A'));
    cache.flush();
    await sync.save();
    cache.put('text', 'b', Buffer.from('B'));
    cache.close();
    // The next invocation on the same disk.
    const next = await synced(disk);
    await next.sync.save();
    expect(next.sync.uploads).toBe(1);
    expect(readValue((await synced()).disk, 'b')).toBe('B');
  });

  test('keeps the age of segments, so that newer values win', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'old');
    await sync.save();
    const [name] = readdirSync(disk);
    const [object] = await bucket.list(PREFIX);
    const other = await synced();
    expect(statSync(join(other.disk, name!)).mtime).toEqual(object!.modified);
  });

  test('deletes what a tidy has merged, but only after its replacement is stored', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'A');
    await sync.save();
    const [old] = readdirSync(disk);
    rmSync(join(disk, old!));
    put(disk, 'a', 'A');
    const restore = aws.fail('PutObject', { name: 'AccessDenied', status: 403, message: 'No.' });
    await expect(sync.save()).rejects.toThrow('No.');
    restore();
    expect(await keys()).toEqual([PREFIX + old]);
    await sync.save();
    expect(await keys()).toEqual(readdirSync(disk).map((name) => PREFIX + name));
    expect(readValue((await synced()).disk, 'a')).toBe('A');
  });

  test('deletes nothing that it could not download', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'A');
    put(disk, 'b', 'B');
    await sync.save();
    const stored = await keys();
    const half = new CacheSync(bucket, newDisk());
    const restore = aws.fail(
      'GetObject',
      { name: 'AccessDenied', status: 403, message: 'No.' },
      (call) => call > 0,
    );
    await expect(half.download()).rejects.toThrow('No.');
    restore();
    await half.save();
    expect(await keys()).toEqual(stored);
  });

  test('loses only time with a damaged or cut object', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'A'.repeat(1000));
    put(disk, 'b', 'B'.repeat(1000));
    await sync.save();
    const [first, second] = readdirSync(disk);
    for (const [name, change] of [
      [first, (bytes: Buffer) => bytes.subarray(0, 500)],
      [second, (bytes: Buffer) => bytes.fill(0, 100, 200)],
    ] as const) {
      const Body = change(readFileSync(join(disk, name!)));
      await aws.s3.send(new PutObjectCommand({ Bucket: NAME, Key: PREFIX + name, Body }));
    }
    const other = await synced();
    expect([readValue(other.disk, 'a'), readValue(other.disk, 'b')]).toEqual([undefined, undefined]);
    put(other.disk, 'a', 'again');
    await other.sync.save();
    expect(readValue(other.disk, 'a')).toBe('again');
    expect(await keys()).toHaveLength(3);
  });

  test('does not trust its disk', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'A');
    await sync.save();
    const [name] = readdirSync(disk);
    writeFileSync(join(disk, name!), '');
    writeFileSync(join(disk, 'abc.part'), 'half a download');
    await synced(disk);
    expect(readdirSync(disk)).toEqual([name]);
    expect(readValue(disk, 'a')).toBe('A');
  });

  test('copies only files of the cache', async () => {
    for (const name of ['note.txt', '../up.cache', 'short.cache', `sub/${'0'.repeat(16)}.cache`])
      await aws.s3.send(new PutObjectCommand({ Bucket: NAME, Key: PREFIX + name, Body: 'x' }));
    const { disk, sync } = await synced();
    expect(readdirSync(disk)).toEqual([]);
    await sync.save();
    expect(await keys()).toHaveLength(4);
  });

  test('repeats uploads and downloads that are cut', async () => {
    const { disk, sync } = await synced();
    put(disk, 'a', 'A');
    aws.loseResponse('PutObject');
    await sync.save();
    const { Body } = await aws.s3.send(
      new GetObjectCommand({ Bucket: NAME, Key: PREFIX + readdirSync(disk)[0] }),
    );
    expect(Buffer.from(await Body!.transformToByteArray())).toEqual(
      readFileSync(join(disk, readdirSync(disk)[0]!)),
    );
    aws.loseResponse('GetObject');
    expect(readValue((await synced()).disk, 'a')).toBe('A');
  });

  test('fails when it cannot be listed, rather than embed everything again', async () => {
    const restore = aws.fail('ListObjectsV2', { name: 'AccessDenied', status: 403, message: 'No.' });
    await expect(synced()).rejects.toThrow('No.');
    restore();
  });
});
