import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Aws, startAws } from '../fixtures/aws.ts';
import { cdk, writeProject } from '../fixtures/cdk.ts';
import { buildTopics, temporaryFolder } from '../fixtures/index.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();
const [index, first, clone, bin] = ['index', 'first', 'clone', 'bin'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
  string,
];

describe.skipIf(missingTools('moto'))('a stack that was deployed from another machine', () => {
  let aws: Aws;
  beforeAll(async () => {
    await buildTopics(index, ['en']);
    aws = await startAws();
    // A PATH with Node and a shell, but without a compiler.
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    symlinkSync('/bin/sh', join(bin, 'sh'));
    for (const project of [first, clone]) writeProject(project);
    const context = { auth: 'none', stack: 'docs', index };
    for (const args of [['bootstrap'], ['deploy', '--require-approval', 'never']])
      expect((await cdk(aws, first, args, context)).code).toBe(0);
  });
  afterAll(() => aws.stop());

  /** Runs `cdk` as in a fresh clone: no index, no packaged function, no API key, no compiler. */
  async function fresh(...args: string[]) {
    const missing = { index: join(folder, 'none') };
    const outcome = await cdk(aws, clone, args, { stack: 'docs', ...missing }, { PATH: bin });
    expect(existsSync(join(clone, '.polyseek'))).toBe(false);
    return { ...outcome, printed: outcome.stdout + outcome.stderr };
  }
  const deployed = () => aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'docs' }));

  test('is listed', async () => {
    expect(await fresh('ls')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^docs$/m) });
  });

  test('is compared, and a warning explains why the code counts as changed', async () => {
    const { code, printed } = await fresh('diff');
    expect({ code, printed }).toMatchObject({ code: 0 });
    expect(printed).toContain(
      'auth is api-key, but there is no API key. Create one with npx polyseek key NAME',
    );
    expect(printed).toContain('not-packaged');
  });

  test('is not deployed without an index', async () => {
    const before = await deployed();
    const { code, printed } = await fresh('deploy', '--require-approval', 'never', '-c', 'auth=none');
    expect(code).toBe(1);
    expect(printed).toMatch(/There is no index in \S*none\. Build one/);
    expect((await deployed()).CodeSha256).toBe(before.CodeSha256);
  });

  test('is destroyed', async () => {
    const { code, printed } = await fresh('destroy', '--force');
    expect({ code, printed }).toMatchObject({ code: 0 });
    await expect(deployed()).rejects.toThrow('Function not found');
  });
});
