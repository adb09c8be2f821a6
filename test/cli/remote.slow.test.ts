import { setTimeout } from 'node:timers/promises';
import { CreateFunctionCommand } from '@aws-sdk/client-lambda';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildRecord } from '../../functions/builder/builds.ts';
import { BUCKET, BUILDER, BuilderStack, FUNCTION } from '../fixtures/builder.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { command, type Outcome } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('polyseek remote', () => {
  let stack: BuilderStack;
  beforeAll(async () => {
    stack = await BuilderStack.start(folder);
  });
  afterAll(() => stack.stop());

  const remote = (...args: string[]): Promise<Outcome> =>
    command('remote', [...args, '--function', FUNCTION], '', stack.aws.env, folder);

  /** Runs `remote build`, and the builder with the event that the command has sent. */
  async function build(...args: string[]): Promise<Outcome & { event: { build: string } }> {
    const before = stack.aws.events.length;
    const outcome = remote('build', ...args);
    while (stack.aws.events.length === before) await setTimeout(50);
    const { functionName, payload } = stack.aws.events.at(-1)!;
    expect(functionName).toBe(BUILDER);
    await stack.invoke(payload);
    return { ...(await outcome), event: payload as { build: string } };
  }

  test('says that a function has no builder', async () => {
    const { code, stdout, stderr } = await remote('builds');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'polyseek has no builder: there is no function polyseek-builder. Set documents in cdk.json, and deploy. If the function has another name, pass it with --function.\n',
    );
  });

  test('lists no builds before the first one', async () => {
    await stack.aws.lambda.send(
      new CreateFunctionCommand({
        FunctionName: BUILDER,
        Role: 'arn:aws:iam::123456789012:role/search',
        Runtime: 'nodejs24.x',
        Handler: 'builder.handler',
        Code: { ZipFile: zipSync({ 'builder.mjs': new Uint8Array() }) },
        Environment: { Variables: { BUCKET, DOCUMENTS: `s3://${BUCKET}/documents` } },
      }),
    );
    expect(await remote('builds')).toMatchObject({
      code: 0,
      stdout: 'No builds yet. Put documents into the bucket, or run npx polyseek remote build.\n',
    });
    expect(await remote('builds', '--json')).toMatchObject({ code: 0, stdout: '[]\n' });
  });

  test('build starts a build, follows it and prints its result', async () => {
    await stack.put('light.md', '# Light\n\nThe light of the Korvane lighthouse flashes twice a minute.\n');
    const { code, stdout, event } = await build();
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(`Build ${event.build} took `);
    expect(stdout).toMatch(/: 1 documents, 1 passages, 1 passages embedded\.\nVersion 2 of polyseek is live/);
    expect(await stack.live()).toBe('2');
  });

  test('build fails with the reason of the build', async () => {
    await stack.remove('light.md');
    const { code, stdout, stderr, event } = await build();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `Build ${event.build} failed\\. s3://${BUCKET}/documents: there are no documents\\. The live index stays\\.`,
      ),
    );
  });

  test('build --no-wait prints the id, and builds lists all builds, newest first', async () => {
    const { code, stdout, event } = await build('--no-wait', '--json');
    expect({ code, id: JSON.parse(stdout) }).toEqual({ code: 0, id: { id: event.build } });
    const records: BuildRecord[] = JSON.parse((await remote('builds', '--json')).stdout);
    expect(records.map(({ status, cause }) => [status, cause])).toEqual([
      ['failed', 'request'],
      ['failed', 'request'],
      ['succeeded', 'request'],
    ]);
    expect(records[0]!.id).toBe(event.build);
    const [heading, ...lines] = (await remote('builds')).stdout.split('\n');
    expect(heading).toMatch(/^started \(UTC\) +took +status +cause +documents +passages +embedded +live$/);
    expect(lines[2]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d +\d+ (s|min) +succeeded +request +1 +1 +1 +2$/);
    expect(lines[4]).toMatch(/ failed: s3:.*there are no documents/);
  });

  test('refuses other actions', async () => {
    const { code, stderr } = await remote('destroy');
    expect(code).toBe(2);
    expect(stderr).toContain('Allowed choices are build, builds.');
  });
});
