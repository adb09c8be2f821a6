import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Lease, type LeaseBucket, type LeaseKind } from '../../../index/aws/lease.ts';
import type { Condition } from '../../../index/aws/s3.ts';

/** An object with conditional writes. */
class Stand implements LeaseBucket {
  text: string | undefined;
  writes = 0;
  /** Fails the next writes with this error. */
  failure: Error | undefined;

  async find() {
    const { text } = this;
    return text === undefined ? undefined : { bytes: Buffer.from(text), etag: text };
  }

  async putIf(_: string, text: Uint8Array | string, condition: Condition) {
    if (this.failure) throw this.failure;
    const holds = condition === 'missing' ? this.text === undefined : this.text === condition.etag;
    if (!holds) return undefined;
    this.writes++;
    this.text = String(text);
    return this.text;
  }
}

const KIND: LeaseKind<string> = {
  key: 'lease.json',
  read: (text) => JSON.parse(text),
  write: (holder) => JSON.stringify(holder),
  lost: (cause) => new Error(cause ? 'Lost in silence.' : 'Lost to another.', { cause }),
};

let stand: Stand;
const leases: Lease<string>[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  stand = new Stand();
});
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.abandon();
  vi.useRealTimers();
});

/** Takes the lease unless it is held. */
async function take(name: string): Promise<Lease<string> | undefined> {
  const lease = await Lease.take(stand, KIND, (found) => (found && found.left > 0 ? undefined : name));
  if (lease) leases.push(lease);
  return lease;
}

test('one of many that try at once gets the lease', async () => {
  const taken = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(take));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

test('is renewed while it is held, and free after its release', async () => {
  const lease = await take('first');
  for (let minute = 0; minute < 5; minute++) {
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await take('second')).toBeUndefined();
  }
  expect(stand.writes).toBe(21);
  await lease!.release();
  await vi.advanceTimersByTimeAsync(1);
  expect((await take('second'))?.state).toBe('second');
});

test('is taken over a minute after its owner died', async () => {
  await (await take('dead'))!.abandon();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(await take('next')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2000);
  expect(await take('next')).toBeDefined();
});

test('of an hour is taken, because a clock was wrong', async () => {
  stand.text = JSON.stringify({ state: 'ahead', token: 't', expires: Date.now() + 3_600_000 });
  expect(await take('next')).toBeDefined();
});

test('that is handed over says so, and stays for two minutes', async () => {
  await (await take('long'))!.handOver();
  const found = await new Promise((resolve) => Lease.take(stand, KIND, (one) => void resolve(one)));
  expect(found).toMatchObject({ state: 'long', token: null, left: 120_000 });
});

test('that another process took is lost, and stays with that process', async () => {
  const lease = (await take('slow'))!;
  const theirs = JSON.stringify({ state: 'fast', token: 'other', expires: Date.now() + 60_000 });
  stand.text = theirs;
  await expect(lease.renew('more')).rejects.toThrow('Lost to another.');
  expect(lease.signal.reason).toMatchObject({ message: 'Lost to another.' });
  await expect(lease.renew()).rejects.toThrow('Lost to another.');
  await lease.release();
  expect(stand.text).toBe(theirs);
});

test('survives failed renewals until it ends', async () => {
  const lease = (await take('patient'))!;
  stand.failure = new Error('No network.');
  await expect(lease.renew()).rejects.toThrow('No network.');
  expect(lease.signal.aborted).toBe(false);
  stand.failure = undefined;
  await lease.renew('later');
  expect(JSON.parse(stand.text!)).toMatchObject({ state: 'later' });
  stand.failure = new Error('No network.');
  await vi.advanceTimersByTimeAsync(75_000);
  expect(lease.signal.reason).toMatchObject({ message: 'Lost in silence.', cause: stand.failure });
});
