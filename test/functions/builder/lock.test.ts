import { afterEach, expect, test } from 'vitest';
import { type Attempt, type Lock, takeLock } from '../../../functions/builder/lock.ts';
import type { LeaseBucket } from '../../../index/aws/lease.ts';

/** The lock's object, with conditional writes as S3 makes them. test/index/aws/ tests the lease itself. */
let text: string | undefined;
const bucket: LeaseBucket = {
  find: async () => (text === undefined ? undefined : { bytes: Buffer.from(text), etag: text }),
  putIf: async (_, body, condition) => {
    if (condition === 'missing' ? text !== undefined : text !== condition.etag) return undefined;
    text = String(body);
    return text;
  },
};
const taken: Lock[] = [];
afterEach(async () => {
  for (const lock of taken.splice(0)) await lock.abandon();
  text = undefined;
});

const write = (holder: object) => {
  text = JSON.stringify(holder);
};
const inSeconds = (seconds: number) => new Date(Date.now() + 1000 * seconds).toISOString();

async function take(build: string): Promise<Attempt> {
  const attempt = await takeLock(bucket, build);
  if (attempt.lock) taken.push(attempt.lock);
  return attempt;
}
async function mustTake(build: string): Promise<Lock> {
  const { lock } = await take(build);
  if (!lock) throw new Error(`${build} did not get the lock.`);
  return lock;
}

test.each([0, 2])('a lock of format %d is not taken, although its lease has ended', async (format) => {
  write({ format, holder: 'a', until: 'never' });
  await expect(take('b')).rejects.toThrow(
    `builder/lock.json has format ${format}, but this polyseek reads format 1. Use the newest version of polyseek, here and in the deployed stack.`,
  );
});

test('refuses others until it is released', async () => {
  const lock = await mustTake('first');
  expect(JSON.parse(text!)).toMatchObject({ format: 1, build: 'first', owner: expect.any(String) });
  expect(await take('second')).toEqual({ heldBy: 'first' });
  // The same build in another process is not its owner either.
  expect(await take('first')).toEqual({ heldBy: 'first' });
  await lock.release(null);
  expect(await take('second')).toEqual({ lock: expect.anything(), died: undefined });
});

test('is taken over when its lease has ended, and names the build that died', async () => {
  write({ build: 'dead', owner: 'someone', expires: inSeconds(-1) });
  expect(await take('next')).toMatchObject({ lock: expect.anything(), died: 'dead' });
});

test('is taken over if its lease ends in days, because a clock was wrong', async () => {
  write({ build: 'ahead', owner: 'someone', expires: inSeconds(3 * 86_400) });
  expect(await take('next')).toMatchObject({ lock: expect.anything(), died: 'ahead' });
  write({ build: 'first', owner: null, expires: inSeconds(150) });
  expect(await take('second')).toEqual({ heldBy: 'first' });
});

test('is lost when another build has taken it, and stays with that build', async () => {
  const lock = await mustTake('slow');
  const theirs = { build: 'fast', owner: 'other', expires: inSeconds(60) };
  write(theirs);
  await expect(lock.renew()).rejects.toThrow(
    'This build lost its lock (another build took it), so it published nothing. The next build publishes.',
  );
  await lock.release(null);
  expect(JSON.parse(text!)).toEqual(theirs);
});

test('is handed over to the next run of the same build only', async () => {
  await (await mustTake('long')).handOver();
  expect(await take('other')).toEqual({ heldBy: 'long' });
  expect(await take('long')).toMatchObject({ lock: expect.anything(), died: undefined });
});

test('that cannot be read is free', async () => {
  for (const unreadable of ['', '{', 'null', '[]', '{"build": 7}']) {
    text = unreadable;
    await (await mustTake('any')).release(null);
  }
});
