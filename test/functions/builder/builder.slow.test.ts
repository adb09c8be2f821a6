import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newBuildId } from '../../../functions/builder/builds.ts';
import { BUILDER_ACTIONS } from '../../../infra/rights.ts';
import type { AwsCall } from '../../fixtures/aws.ts';
import { BUCKET, BUILDER, BuilderStack, FUNCTION } from '../../fixtures/builder.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { missingTools } from '../../fixtures/tools.ts';

const LAMP = '# Lamps\n\nThe lamp of the lighthouse turns twice a minute.';
const BREAD = '# Bread\n\nThe baker bakes bread before the sun rises.';
const DONE = { result: { batchItemFailures: [] } };
const HELD = (build: string) =>
  JSON.stringify({ build, owner: 'other', expires: new Date(Date.now() + 60_000).toISOString() });

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a builder', () => {
  const folder = temporaryFolder();
  const calls: AwsCall[] = [];
  let stack: BuilderStack;

  beforeAll(async () => {
    stack = await BuilderStack.start(folder);
  });
  afterAll(() => stack?.stop());

  /** Builds, and notes its calls. */
  async function build(event?: unknown, remaining?: number[]) {
    const before = stack.aws.calls.length;
    const reply = await stack.invoke(event, remaining);
    calls.push(...stack.aws.calls.slice(before));
    const [record] = await stack.builds.list(1);
    return { ...record!, reply };
  }
  const counted = (action: string) => calls.filter((call) => call.action === action).length;

  test('publishes nothing while there are no documents', async () => {
    expect(await build(stack.batch('aws.cloudformation'))).toMatchObject({
      reply: DONE,
      status: 'unchanged',
      cause: 'deploy',
      reason: 's3://polyseek-stack/documents: there are no documents yet.',
    });
    expect(await stack.live()).toBe('1');
  });

  test('makes new documents searchable', async () => {
    await stack.put('lamps.md', LAMP);
    await stack.put('bread.md', BREAD);
    expect(await build()).toMatchObject({
      reply: DONE,
      status: 'succeeded',
      cause: 'events',
      documents: 2,
      passages: 2,
      embedded: 2,
      unchanged: 0,
      live: '2',
      index: expect.stringMatching(/^[0-9a-f]{12}$/),
      ended: expect.any(String),
      notices: [],
    });
    expect(await stack.live()).toBe('2');
    expect((await stack.find('How often does the lamp of the lighthouse turn?'))[0]).toBe('lamps.md');
  });

  test('publishes nothing if nothing changed', async () => {
    const before = counted('lambda:UpdateFunctionCode');
    expect(await build(stack.batch('aws.scheduler'))).toMatchObject({
      reply: DONE,
      status: 'unchanged',
      cause: 'schedule',
      embedded: 0,
      unchanged: 2,
      live: '2',
      reason: 'Nothing to push: version 2, which is live, has the same code.',
    });
    expect(counted('lambda:UpdateFunctionCode')).toBe(before);
  });

  test('publishes a change of settings with the same code', async () => {
    await stack.aws.lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: FUNCTION,
        Environment: { Variables: { PAGE: '0' } },
      }),
    );
    expect(await build(stack.batch('aws.cloudformation'))).toMatchObject({ status: 'succeeded', live: '3' });
  });

  test('embeds nothing again on another disk, and publishes nothing if nothing changed', async () => {
    await stack.builder.end();
    rmSync(join(folder, 'disk'), { recursive: true });
    expect(await build()).toMatchObject({ status: 'unchanged', embedded: 0, unchanged: 2, live: '3' });
  });

  test('reports what it cannot read, indexes the rest, and forgets a deleted document', async () => {
    await stack.put('broken.pdf', '%PDF-1.7 and nothing else');
    await stack.put('letter.md', '# Letter\n\nA letter needs three days to the island.');
    await stack.remove('bread.md');
    expect(await build()).toMatchObject({
      status: 'succeeded',
      documents: 2,
      embedded: 1,
      notices: [
        { kind: 'failed', count: 1, places: [{ place: 's3://polyseek-stack/documents/broken.pdf' }] },
      ],
    });
    expect((await stack.find('A letter needs how many days to the island?'))[0]).toBe('letter.md');
    expect(await stack.find('When does the baker bake bread?')).not.toContain('bread.md');
  });

  test('keeps the live index if all documents are gone', async () => {
    for (const name of ['broken.pdf', 'letter.md', 'lamps.md']) await stack.remove(name);
    const live = await stack.live();
    const reason =
      's3://polyseek-stack/documents: there are no documents. The live index stays. To remove it, destroy the stack.';
    const { reply, ...record } = await build();
    expect(reply).toEqual({ error: reason });
    expect(record).toMatchObject({ status: 'failed', reason, ended: expect.any(String) });
    expect(await stack.live()).toBe(live);
    expect((await stack.find('How often does the lamp of the lighthouse turn?'))[0]).toBe('lamps.md');
    const entry = stack.builder.log().findLast(({ level }) => level === 'ERROR');
    expect(entry).toMatchObject({ build: record.id, reason, function: BUILDER, BuildFailed: 1 });
    expect(entry!._aws).toMatchObject({
      CloudWatchMetrics: [{ Namespace: 'polyseek', Dimensions: [['function']] }],
    });
  });

  describe('that finds another build at work', () => {
    beforeAll(async () => {
      await stack.put('lamps.md', LAMP);
      await stack.write('lock.json', HELD('20260101T000000000Z-aaaa'));
    });

    test('leaves its messages in the queue', async () => {
      const batch = { Records: [...stack.batch().Records, ...stack.batch().Records] };
      const records = (await stack.builds.list(100)).length;
      expect(await stack.invoke(batch)).toEqual({
        result: {
          batchItemFailures: batch.Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
        },
      });
      expect(await stack.builds.list(100)).toHaveLength(records);
    });

    test('says so in the record of a request', async () => {
      const id = newBuildId();
      expect(await build({ build: id })).toMatchObject({
        reply: { result: null },
        id,
        cause: 'request',
        status: 'failed',
        reason:
          'Build 20260101T000000000Z-aaaa is running. When it ends, a new one starts by itself: see npx polyseek remote builds.',
      });
    });

    test('takes over when that build died, completes its record, and builds once for an event that is delivered twice', async () => {
      const died = '20260101T000000000Z-aaaa';
      await stack.builds.write({
        id: died,
        started: '2026-01-01T00:00:00.000Z',
        status: 'running',
        cause: 'events',
        notices: [],
      });
      await stack.expireLock();
      const id = newBuildId();
      const events = stack.aws.events.length;
      const { reply: _, ...first } = await build({ build: id });
      expect(first).toMatchObject({ id, status: 'succeeded', documents: 1 });
      // For those that were refused, whose documents may be newer.
      expect(stack.aws.events.slice(events)).toEqual([
        { functionName: BUILDER, payload: { build: expect.any(String), cause: 'events' } },
      ]);
      expect(await stack.builds.read(died)).toMatchObject({
        status: 'failed',
        reason: `It ended without a word: it was killed, ran out of memory, or ran out of time. Build ${id} took over.`,
      });
      const before = counted('lambda:GetAlias');
      expect(await build({ build: id })).toEqual({ ...first, reply: { result: null } });
      expect(counted('lambda:GetAlias')).toBe(before);
    });
  });

  test('that loses its lock before live moves publishes nothing', async () => {
    await stack.put('bread.md', BREAD);
    const live = await stack.live();
    stack.aws.before('PublishVersion', () => stack.write('lock.json', HELD('20260101T000000000Z-bbbb')));
    const { reply, id } = await build();
    expect(reply).toEqual({
      error: expect.stringMatching(
        /^This build lost its lock \(another build took it\), so it published nothing\. The next build publishes\. Version \d+ stays live; version \d+ was deleted\.$/,
      ),
    });
    expect(await stack.live()).toBe(live);
    expect(await stack.builds.read(id)).toMatchObject({ status: 'failed' });
    expect(JSON.parse(await stack.read('lock.json')).build).toBe('20260101T000000000Z-bbbb');
    await stack.expireLock();
  });

  test('fails rather than drop a document that S3 does not deliver', async () => {
    await stack.put('letter.md', 'A letter needs three days.');
    const live = await stack.live();
    const error = { name: 'InternalError', status: 500, message: 'We encountered an internal error.' };
    const restore = stack.aws.fail('GetObject', error, undefined, '/letter.md');
    const { reply, status } = await build();
    restore();
    expect(status).toBe('failed');
    expect(reply).toEqual({
      error: 's3://polyseek-stack/documents/letter.md: download failed. The build runs again.',
    });
    expect(await stack.live()).toBe(live);
  });

  test('continues in another invocation when its time is over', async () => {
    const records = Array.from({ length: 1050 }, (_, i) => JSON.stringify({ text: `Ship ${i} sails.` }));
    await stack.put('ships.jsonl', records.join('\n'));
    const events = stack.aws.events.length;
    // The builder looks at the clock when it starts, and again after 1,000 passages.
    const first = await build(undefined, [900_000, 0]);
    expect(first).toMatchObject({ reply: DONE, status: 'continues' });
    expect(first.ended).toBeUndefined();
    expect(stack.aws.events.slice(events)).toEqual([
      { functionName: BUILDER, payload: { continue: first.id } },
    ]);
    // Until then, the lock is reserved.
    expect(await stack.invoke(stack.batch())).not.toEqual(DONE);
    expect(await build({ continue: first.id })).toMatchObject({
      id: first.id,
      reply: { result: null },
      status: 'succeeded',
      cause: 'events',
      started: first.started,
      passages: 1053,
      embedded: 1051,
      unchanged: 2,
    });
  });

  test('rejects other events', async () => {
    for (const event of [{}, { build: '../lock' }, { continue: 1 }, [], null])
      expect(await stack.invoke(event)).toEqual({
        error: expect.stringMatching(/^The event is neither a batch of the queue/),
      });
  });

  test('needs no other rights than those that are listed', () => {
    const fn = `arn:aws:lambda:eu-central-1:123456789012:function:${FUNCTION}`;
    const [bucket, own] = [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/builder/`];
    const isAllowed = ({ action, resource }: AwsCall): boolean => {
      const listed = (actions: readonly string[]) => actions.includes(action);
      const { searchFunction, searchVersions, itself, ownObjects, ownBucket, documents } = BUILDER_ACTIONS;
      if (resource === fn || resource.startsWith(`${fn}:`))
        return listed(searchFunction) || (resource.startsWith(`${fn}:`) && listed(searchVersions));
      if (resource === fn.replace(FUNCTION, BUILDER)) return listed(itself);
      if (resource === bucket) return listed(ownBucket);
      if (resource.startsWith(`${bucket}/documents/`)) return listed(documents);
      return [own, `${bucket}/polyseek/`].some((start) => resource.startsWith(start)) && listed(ownObjects);
    };
    // Tests of this file store documents while a build runs.
    const others = calls.filter(
      (call) =>
        !isAllowed(call) &&
        !(call.action === 's3:PutObject' && call.resource.startsWith(`${bucket}/documents/`)),
    );
    expect(others).toEqual([]);
    const used = new Set(calls.map(({ action }) => action));
    expect(
      Object.values(BUILDER_ACTIONS)
        .flat()
        .filter((action) => !used.has(action)),
    ).toEqual([]);
  });
});
