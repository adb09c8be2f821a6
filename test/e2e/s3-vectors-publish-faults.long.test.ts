import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pruneIndex } from '../../index/store/s3vectors/publish/manage.ts';
import { type PublishOptions, publish } from '../../index/store/s3vectors/publish/publish.ts';
import { writeEditions } from '../fixtures/editions.ts';
import { smallModel, temporaryFolder } from '../fixtures/index.ts';
import { type Published, passMinute, published } from '../fixtures/published.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';
import type { FaultKind } from '../fixtures/service-faults.ts';

const KINDS: FaultKind[] = ['throttle', '500', '503', 'cut', 'lost-answer', 'half-answer', 'slow'];
/** Small batches, so that an edition takes several calls of PutVectors. No long waits between attempts. */
const QUICK: PublishOptions = { batch: 12, speed: 1000 };
/** Cases that run at the same time, because faults make them wait. */
const PARALLEL = 6;

/** Publications that follow each other. The third deletes what only the first needs. */
const STEPS = ['first', 'second', 'first again'] as const;
type Step = (typeof STEPS)[number];

/** Most attempts of a call. */
const ATTEMPTS = 8;

describe('A publication to S3 Vectors', () => {
  const folder = temporaryFolder();
  let aws: S3Vectors;
  let editions: Record<Step, string>;
  /** What each step leaves without faults, and how many calls it makes. */
  const right = {} as Record<Step, { published: Published; calls: number }>;
  let buckets = 0;

  beforeAll(async () => {
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    const { first, second } = writeEditions(folder);
    editions = { first, second, 'first again': first };
    const bucket = await newBucket();
    for (const step of STEPS) {
      const before = callsOf(bucket).length;
      await run(bucket, step);
      right[step] = {
        published: await published(aws.direct, bucket),
        calls: callsOf(bucket).length - before,
      };
      await passMinute(aws.direct, bucket);
    }
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  async function newBucket(): Promise<string> {
    const bucket = `case-${buckets++}`;
    await aws.createIndex(bucket, 'passages', smallModel().model.dimensions);
    return bucket;
  }

  const callsOf = (bucket: string) => aws.calls.filter((call) => call.bucket === bucket);

  const run = (bucket: string, step: Step, options: PublishOptions = {}) =>
    publish(editions[step], { bucket, name: 'passages' }, { ...QUICK, ...options });

  /** Runs a case for each number from 1, some at a time. */
  async function forEachCall<T>(count: number, one: (nth: number) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    let next = 1;
    const worker = async () => {
      while (next <= count) {
        const nth = next++;
        results[nth - 1] = await one(nth);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    return results;
  }

  test('writes new and changed passages only, and deletes what no kept generation needs', () => {
    const rows = STEPS.map((step) => Object.keys(right[step].published.rows).length);
    expect(rows).toEqual([40, 40 + 9, 40 - 6 + 6]);
    for (const step of STEPS) expect(right[step].published.leftovers).toEqual([]);
    expect(right.first.published.manifest).toMatchObject({ segments: [{ rows: 40, goneRows: 0 }] });
    expect(right.second.published.manifest).toMatchObject({
      counts: { passages: 43 },
      segments: [
        { rows: 40, goneRows: 6 },
        { rows: 9, goneRows: 0 },
      ],
    });
  });

  test.each(KINDS)('succeeds if every call fails once (%s)', async (kind) => {
    const bucket = await newBucket();
    for (const step of STEPS) {
      const remove = aws.fault({ kind, bucket, firstAttempts: true });
      await run(bucket, step);
      // All calls differ, except that objects are read again.
      expect(remove()).toBeGreaterThan(right[step].calls / 2);
      expect(await published(aws.direct, bucket), step).toEqual(right[step].published);
      await passMinute(aws.direct, bucket);
    }
  });

  test.each([-3, 3])('succeeds if the clock of AWS differs by %i days', async (days) => {
    const bucket = await newBucket();
    aws.ahead = days * 86_400_000;
    try {
      for (const step of STEPS) {
        await run(bucket, step);
        expect(await published(aws.direct, bucket), step).toEqual(right[step].published);
        await passMinute(aws.direct, bucket);
      }
      const refused = callsOf(bucket).filter(({ status }) => status === 403);
      expect(new Set(refused.map(({ service }) => service))).toEqual(new Set(['s3', 's3vectors']));
    } finally {
      aws.ahead = 0;
    }
  });

  test('has the same result if the answer of any one call is lost', { timeout: 900_000 }, async () => {
    const most = Math.max(...STEPS.map((step) => right[step].calls));
    const hits = await forEachCall(most, async (nth) => {
      const bucket = await newBucket();
      let hit = 0;
      for (const step of STEPS) {
        const remove = aws.fault({ kind: 'lost-answer', bucket, nth });
        await run(bucket, step);
        hit += remove();
        expect(await published(aws.direct, bucket), `call ${nth} of ${step}`).toEqual(right[step].published);
        await passMinute(aws.direct, bucket);
      }
      return hit;
    });
    const all = hits.reduce((sum, hit) => sum + hit, 0);
    // A slow publication also renews its lease.
    expect(all).toBeGreaterThanOrEqual(STEPS.reduce((sum, step) => sum + right[step].calls, 0));
  });

  test.each<FaultKind>(['500', 'lost-answer'])(
    'fails with a sentence if calls fail from any call on, and the next one completes it (%s)',
    { timeout: 900_000 },
    async (kind) => {
      const isNew = await forEachCall(right.second.calls, async (nth) => {
        const bucket = await newBucket();
        await run(bucket, 'first');
        await passMinute(aws.direct, bucket);
        const remove = aws.fault({ kind, bucket, nth, times: Number.POSITIVE_INFINITY });
        await expect(run(bucket, 'second'), `call ${nth}`).rejects.toThrow(
          /^s3vectors:\/\/case-\d+\/passages: .*(s3|s3vectors):\w+.*run the command again( in a minute)?\.$/i,
        );
        // Up to four calls run at the same time, and then the lease is given back.
        expect(remove()).toBeLessThanOrEqual(6 * ATTEMPTS);
        const { leftovers: _, ...seen } = await published(aws.direct, bucket);
        const moved = JSON.stringify(seen.manifest) === JSON.stringify(right.second.published.manifest);
        const { leftovers: __, ...expected } = right[moved ? 'second' : 'first'].published;
        expect(seen, `call ${nth}`).toEqual(expected);
        await passMinute(aws.direct, bucket);
        await run(bucket, 'second');
        expect(await published(aws.direct, bucket), `after call ${nth}`).toEqual(right.second.published);
        return moved;
      });
      // One call makes the generation current.
      expect(isNew).toEqual([...isNew].sort((a, b) => Number(a) - Number(b)));
      expect(new Set(isNew)).toEqual(new Set([false, true]));
    },
  );

  test('waits for another publication, or fails and says which', async () => {
    const bucket = await newBucket();
    let running: Promise<unknown> | undefined;
    let other: Promise<unknown> | undefined;
    const started = new Promise<void>((resolve) => {
      aws.before('PutVectors', async () => {
        other = run(bucket, 'second', { patience: 60_000 });
        await expect(run(bucket, 'second')).rejects.toThrow(
          /^Another command changes this index \(process \d+ on /,
        );
        resolve();
      });
      running = run(bucket, 'first');
    });
    await started;
    await running;
    await other;
    const { leftovers, ...seen } = await published(aws.direct, bucket);
    expect({ ...seen, leftovers }).toEqual(right.second.published);
  });

  test('makes nothing current after another one has taken over', async () => {
    const bucket = await newBucket();
    await run(bucket, 'first');
    aws.before('PutVectors', async () => {
      // As if this process had slept for more than a minute.
      await passMinute(aws.direct, bucket);
      await run(bucket, 'first again', { rewrite: true });
      await passMinute(aws.direct, bucket);
    });
    await expect(run(bucket, 'second')).rejects.toThrow(
      'Another command has taken over this index. Run this command again.',
    );
    const { manifest, leftovers } = await published(aws.direct, bucket);
    const { version } = right.first.published.manifest as { version: string };
    expect(manifest).toMatchObject({ version, segments: [{ rows: 40, goneRows: 0 }] });
    // Its last batch came after the other one had deleted what it left.
    expect(leftovers).toHaveLength(9);
    await pruneIndex({ bucket, name: 'passages' }, 2);
    expect((await published(aws.direct, bucket)).leftovers).toEqual([]);
  });
});
