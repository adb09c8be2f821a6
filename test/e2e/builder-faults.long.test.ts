import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BuilderStack } from '../fixtures/builder.ts';
import { randomNumbers, temporaryFolder } from '../fixtures/index.ts';
import { KILLS } from '../fixtures/kills.ts';
import { missingTools } from '../fixtures/tools.ts';

const SEED = 14;
/** A build takes two seconds, and these tests need about a hundred. */
const TIMEOUT = 1_800_000;

const LAMP = '# Lamps\n\nThe lamp of the lighthouse turns twice a minute.';
const BREAD = '# Bread\n\nThe baker bakes bread before the sun rises.';
const QUESTION = 'How often does the lamp of the lighthouse turn?';
const S3_OPERATIONS = ['GetObject', 'PutObject', 'ListObjectsV2', 'DeleteObject', 'DeleteObjects'];
const LAMBDA_OPERATIONS = [
  'GetAlias',
  'GetFunction',
  'GetFunctionConfiguration',
  'Invoke',
  'ListAliases',
  'ListVersionsByFunction',
  'PublishVersion',
  'UpdateAlias',
  'UpdateFunctionCode',
  'DeleteFunction',
];
const throttled = { name: 'ThrottlingException', status: 429, message: 'Rate exceeded.' };
const slowDown = { name: 'SlowDown', status: 503, message: 'Please reduce your request rate.' };
const refused = { name: 'AccessDenied', status: 403, message: 'No.' };

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a builder', () => {
  const random = randomNumbers(SEED);
  let stack: BuilderStack;
  /** Versions of complete indexes of the documents that were there. */
  const whole = new Set<string>();
  let hasBread = false;

  /** Adds or removes a document, so that the next build has something to publish. Its embeddings are in the cache. */
  async function toggle(): Promise<void> {
    if (hasBread) await stack.remove('bread.md');
    else await stack.put('bread.md', BREAD);
    hasBread = !hasBread;
  }
  /** Builds undisturbed, and checks that callers get what is in the bucket. */
  async function finish(documents: number): Promise<void> {
    await stack.expireLock();
    expect(await stack.invoke()).toEqual({ result: { batchItemFailures: [] } });
    const [record] = await stack.builds.list(1);
    expect(record).toMatchObject({ documents, live: await stack.live() });
    expect(['succeeded', 'unchanged']).toContain(record!.status);
    whole.add(record!.index!);
    expect(await stack.index()).toBe(record!.index);
    expect((await stack.find(QUESTION))[0]).toBe('lamps.md');
    expect(await stack.isAligned()).toBe(true);
  }
  /** Callers get answers from a complete index. */
  async function checkLive(): Promise<void> {
    expect(whole).toContain(await stack.index());
  }

  beforeAll(async () => {
    stack = await BuilderStack.start(temporaryFolder());
    await stack.put('lamps.md', LAMP);
    await stack.invoke();
    await finish(1);
    await toggle();
    await finish(2);
  });
  afterAll(() => stack?.stop());

  test('succeeds although AWS throttles each operation once', async () => {
    await toggle();
    const failures = [
      ...S3_OPERATIONS.map((name) => [name, slowDown] as const),
      ...LAMBDA_OPERATIONS.map((name) => [name, throttled] as const),
    ];
    const restore = failures.map(([name, error]) => stack.aws.fail(name, error, (call) => call === 0));
    expect(await stack.invoke()).toEqual({ result: { batchItemFailures: [] } });
    for (const one of restore) one();
    expect(await stack.builds.list(1)).toMatchObject([{ status: 'succeeded', documents: hasBread ? 2 : 1 }]);
    await finish(hasBread ? 2 : 1);
  });

  test(
    'does no harm if any one of its calls fails',
    async () => {
      for (let failing = 0, isComplete = false; !isComplete; failing++) {
        const [before] = await stack.builds.list(1);
        if (before!.status !== 'failed') await toggle();
        await stack.expireLock();
        let calls = 0;
        const restore = stack.aws.fail('*', refused, (call) => {
          calls = call + 1;
          return call === failing;
        });
        await stack.invoke();
        restore();
        isComplete = calls <= failing;
        await checkLive();
      }
      await finish(hasBread ? 2 : 1);
    },
    TIMEOUT,
  );

  test(
    `leaves a complete index live when it is killed at ${KILLS} random moments`,
    async () => {
      await toggle();
      await stack.builder.warm();
      const started = performance.now();
      await finish(hasBread ? 2 : 1);
      const duration = performance.now() - started;
      for (let kill = 1; kill <= KILLS; kill++) {
        await toggle();
        await stack.expireLock();
        const child = await stack.builder.warm();
        const ended = once(child, 'message').catch(() => {});
        child.send({ event: stack.batch(), remaining: [900_000] });
        await Promise.race([sleep(random() * duration), ended]);
        await stack.builder.end();
        await checkLive();
        // After every fifth, a build runs to its end.
        if (kill % 5 === 0 || kill === KILLS) await finish(hasBread ? 2 : 1);
      }
    },
    TIMEOUT,
  );
});
