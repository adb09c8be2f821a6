import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BuilderStack } from '../../fixtures/builder.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { missingTools } from '../../fixtures/tools.ts';

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a builder', () => {
  let stack: BuilderStack;
  const folder = temporaryFolder();

  beforeAll(async () => {
    stack = await BuilderStack.start(folder);
  });
  afterAll(() => stack?.stop());

  test('publishes nothing while there are no documents', async () => {
    const { reply, ...record } = await stack.build();
    expect(reply).toEqual({ result: { batchItemFailures: [] } });
    expect(record).toMatchObject({
      status: 'unchanged',
      reason: 's3://polyseek-stack/documents: there are no documents yet.',
    });
    expect(await stack.live()).toBe('1');
  });

  test('makes a new document searchable', async () => {
    await stack.put('lamps.md', '# Lamps\n\nThe lamp of the lighthouse turns twice a minute.');
    console.time('build');
    const record = await stack.build();
    console.timeEnd('build');
    console.log(record);
    console.log(stack.aws.calls.map((c) => c.action));
    expect(await stack.find('How often does the lamp turn?')).toEqual(['lamps.md']);
  });
});
