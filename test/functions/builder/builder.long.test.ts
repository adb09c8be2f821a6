import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILDER, BuilderStack } from '../../fixtures/builder.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { missingTools } from '../../fixtures/tools.ts';

const BREAD = '# Bread\n\nThe baker bakes bread before the sun rises.';
const DONE = { result: { batchItemFailures: [] } };

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a builder', () => {
  let stack: BuilderStack;

  beforeAll(async () => {
    stack = await BuilderStack.start(temporaryFolder());
    await stack.put('lamps.md', '# Lamps\n\nThe lamp of the lighthouse turns twice a minute.');
    await stack.put('bread.md', BREAD);
    await build();
  });
  afterAll(() => stack?.stop());

  async function build(event?: unknown, remaining?: number[]) {
    const reply = await stack.invoke(event, remaining);
    const [record] = await stack.builds.list(1);
    return { ...record!, reply };
  }

  test('starts one more build for those that were refused meanwhile', async () => {
    await stack.put('bread.md', `${BREAD} He sleeps in the afternoon.`);
    stack.aws.before('PublishVersion', async () => {
      await stack.put('letter.md', 'A letter needs three days.');
      const other = stack.another();
      expect(await other.invoke(stack.batch())).not.toEqual(DONE);
      await other.end();
    });
    const events = stack.aws.events.length;
    expect(await build()).toMatchObject({ status: 'succeeded', documents: 2 });
    const [event, ...others] = stack.aws.events.slice(events);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ functionName: BUILDER });
    expect(await build(event!.payload)).toMatchObject({ status: 'succeeded', cause: 'events', documents: 3 });
    expect(stack.aws.events).toHaveLength(events + 1);
  });

  test('starts one more build for those that are refused while that one starts', async () => {
    await stack.write('again.json', '{"build":"first"}');
    stack.aws.before('Invoke', () => stack.write('again.json', '{"build":"second"}'), BUILDER);
    const events = stack.aws.events.length;
    for (const _ of ['first', 'second', 'none']) expect((await build()).status).not.toBe('failed');
    expect(stack.aws.events).toHaveLength(events + 2);
  });

  test('reads a document again that changes while it is read', async () => {
    await stack.put('letter.md', 'A letter needs four days.');
    const newest = 'A letter needs five days.';
    stack.aws.before('GetObject', () => stack.put('letter.md', newest), '/letter.md');
    expect(await build()).toMatchObject({ status: 'succeeded', documents: 3, notices: [] });
    expect(await stack.text('letter')).toContain(newest);
  });

  test('fails if its time is always too short', async () => {
    const { reply, status } = await build(undefined, [0]);
    expect(status).toBe('failed');
    expect(reply).toEqual({
      error:
        'One invocation is too short for this build, although nothing is left to embed. Raise builderMemory, which gives the builder more processors.',
    });
    expect(await build()).toMatchObject({ status: 'unchanged' });
  });
});
