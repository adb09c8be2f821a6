import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Bucket } from '../../../functions/builder/bucket.ts';
import { type Attempt, LOCK, Lock, LockLost } from '../../../functions/builder/lock.ts';
import { type Aws, startAws } from '../../fixtures/aws.ts';
import { createBucket } from '../../fixtures/aws-setup.ts';
import { missingTools } from '../../fixtures/tools.ts';

const NAME = 'polyseek-lock';

describe.skipIf(missingTools('moto'))('the lock', () => {
  let aws: Aws;
  let bucket: Bucket;
  const taken: Lock[] = [];

  beforeAll(async () => {
    aws = await startAws();
    await createBucket(aws, NAME);
    bucket = new Bucket(NAME, aws.s3);
  });
  afterAll(() => aws?.stop());
  beforeEach(async () => {
    for (const lock of taken.splice(0)) await lock.abandon();
    await write({ build: null, owner: null, expires: new Date(0).toISOString() });
  });

  const write = (holder: object | string) =>
    aws.s3.send(
      new PutObjectCommand({
        Bucket: NAME,
        Key: LOCK,
        Body: typeof holder === 'string' ? holder : JSON.stringify(holder),
      }),
    );
  const inSeconds = (seconds: number) => new Date(Date.now() + 1000 * seconds).toISOString();

  async function take(build: string): Promise<Attempt> {
    const attempt = await Lock.take(bucket, build);
    if (attempt.lock) taken.push(attempt.lock);
    return attempt;
  }
  async function mustTake(build: string): Promise<Lock> {
    const { lock } = await take(build);
    if (!lock) throw new Error(`${build} did not get the lock.`);
    return lock;
  }

  test.each([0, 2])('of format %d is not taken, although its lease has ended', async (format) => {
    await write({ format, holder: 'a', until: 'never' });
    await expect(take('b')).rejects.toThrow(
      `builder/lock.json has format ${format}, but this polyseek reads format 1. Use the newest version of polyseek, here and in the deployed stack.`,
    );
  });

  test('is taken by one of many builds at the same time', async () => {
    const attempts = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(take));
    const owners = await Promise.all(
      attempts.map(async ({ lock }) => {
        const isOwner = await lock?.confirm().then(
          () => true,
          () => false,
        );
        return isOwner ?? false;
      }),
    );
    expect(owners.filter(Boolean)).toHaveLength(1);
  });

  test('refuses others until it is released', async () => {
    const lock = await mustTake('first');
    expect(await take('second')).toEqual({ heldBy: 'first' });
    // The same build in another process is not its owner either.
    expect(await take('first')).toEqual({ heldBy: 'first' });
    await lock.confirm();
    await lock.release();
    expect((await take('second')).lock).toBeDefined();
  });

  test('is taken over when its lease has ended, and names the build that died', async () => {
    await write({ build: 'dead', owner: 'someone', expires: inSeconds(-1) });
    expect(await take('next')).toMatchObject({ lock: expect.any(Lock), died: 'dead' });
  });

  test('is taken over if its lease ends in days, because a clock was wrong', async () => {
    await write({ build: 'ahead', owner: 'someone', expires: inSeconds(3 * 86_400) });
    expect(await take('next')).toMatchObject({ lock: expect.any(Lock), died: 'ahead' });
    const handedOver = { build: 'first', owner: null, expires: inSeconds(150) };
    await write(handedOver);
    expect(await take('second')).toEqual({ heldBy: 'first' });
  });

  test('is lost when another build has taken it, and stays with that build', async () => {
    const lock = await mustTake('slow');
    const theirs = { build: 'fast', owner: 'other', expires: inSeconds(60) };
    await write(theirs);
    expect(lock.signal.aborted).toBe(false);
    await expect(lock.confirm()).rejects.toThrow(LockLost);
    expect(lock.signal.reason).toBeInstanceOf(LockLost);
    await lock.release();
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: NAME, Key: LOCK }));
    expect(JSON.parse(await Body!.transformToString())).toEqual(theirs);
  });

  test('is handed over to the next invocation of the same build only', async () => {
    await (await mustTake('long')).handOver();
    expect(await take('other')).toEqual({ heldBy: 'long' });
    expect(await take('long')).toMatchObject({ lock: expect.any(Lock), died: undefined });
  });

  test('is not lost by a failed renewal, while its lease lasts', async () => {
    const lock = await mustTake('patient');
    const restore = aws.fail('PutObject', { name: 'AccessDenied', status: 403, message: 'No.' });
    await expect(lock.confirm()).rejects.toThrow('No.');
    restore();
    expect(lock.signal.aborted).toBe(false);
    await lock.confirm();
  });

  test('survives a lost response to its renewal', async () => {
    const lock = await mustTake('lucky');
    // The first response is lost after the write. The SDK's second attempt meets an object with another ETag.
    aws.loseResponse('PutObject');
    await lock.confirm();
    await lock.confirm();
    expect(await take('other')).toEqual({ heldBy: 'lucky' });
  });

  test('is taken although the response is lost', async () => {
    aws.loseResponse('PutObject', 1);
    const lock = await mustTake('lucky');
    await lock.confirm();
  });

  test('that cannot be read is free', async () => {
    for (const text of ['', '{', 'null', '[]', '{"build": 7}']) {
      await write(text);
      const lock = await mustTake('any');
      await lock.release();
    }
  });
});
