import { spawn } from 'node:child_process';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Remote } from '../../../functions/deployed/connect.ts';
import { alignLatest } from '../../../functions/deployed/go-live.ts';
import { prune as pruneVersions } from '../../../functions/deployed/prune.ts';
import { describeAlias, describeVersion } from '../../../functions/deployed/version-description.ts';
import { type Aws, startAws } from '../../fixtures/aws.ts';
import { createBucket, createRole } from '../../fixtures/aws-setup.ts';
import { POLYSEEK } from '../../fixtures/bundle-cli.ts';
import { root } from '../../fixtures/index.ts';
import { finished } from '../../fixtures/processes.ts';
import { missingTools } from '../../fixtures/tools.ts';

const BUCKET = 'cdk-hnb659fds-assets-123456789012-eu-central-1';
const DENIED = { name: 'AccessDeniedException', status: 403, message: 'No.' };
const zipOf = (text: string) => zipSync({ 'lambda.mjs': Buffer.from(text) }, { mtime: new Date(2000, 0, 1) });

describe.skipIf(missingTools('moto'))('old versions', () => {
  let aws: Aws;
  let FunctionName = '';
  let functions = 0;
  beforeAll(async () => {
    aws = await startAws();
    await createRole(aws);
    await createBucket(aws, BUCKET);
  });
  afterAll(() => aws.stop());

  const put = (Key: string, Body: Uint8Array) =>
    aws.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  const moveLive = (FunctionVersion: string) =>
    aws.lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion }));

  /** Publishes code like `push`, or like `cdk deploy`. */
  async function publish(text: string, pushed: boolean): Promise<void> {
    await put('code.zip', zipOf(text));
    await aws.lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName, S3Bucket: BUCKET, S3Key: 'code.zip' }),
    );
    const Description = describeVersion({ version: 'a'.repeat(12), passages: 1, model: 'e5' }, pushed);
    await aws.lambda.send(new PublishVersionCommand({ FunctionName, Description }));
  }

  /** Creates a function with version 1 from `cdk deploy`, and 2 to 8 from `push`. Version 8 is live, and 3 has another alias. */
  beforeEach(async () => {
    FunctionName = `docs-${++functions}`;
    await put('first.zip', zipOf('first'));
    await aws.lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: 'arn:aws:iam::123456789012:role/search',
        Runtime: 'nodejs24.x',
        Handler: 'lambda.handler',
        Code: { S3Bucket: BUCKET, S3Key: 'first.zip' },
      }),
    );
    await publish(text(1), false);
    for (let version = 2; version <= 8; version++) await publish(text(version), true);
    for (const [Name, FunctionVersion] of [
      ['live', '8'],
      ['canary', '3'],
    ])
      await aws.lambda.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion }));
  });

  const text = (version: number) => `${FunctionName} ${version}`;
  const start = (args: string[]) =>
    spawn(process.execPath, [POLYSEEK, ...args, '--function', FunctionName], {
      cwd: root,
      env: { PATH: process.env.PATH, ...aws.env },
    });
  const prune = (...args: string[]) => finished(start(['prune', ...args]));
  const versions = async () => {
    const { Versions = [] } = await aws.lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    return Versions.map(({ Version }) => Version).filter((version) => version !== '$LATEST');
  };

  test('are deleted, except the newest, versions with an alias, and the last from cdk', async () => {
    const dry = await prune('--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(
      /^Would delete version 2 \(0\.0 MB\)\.\nWould keep versions 8, 7, 6, 5, 4, 3, 1\.\n$/,
    );
    expect(await versions()).toHaveLength(8);

    const { code, stdout, stderr } = await prune();
    expect({ code, stdout }).toEqual({ code: 0, stdout: dry.stdout.replaceAll(/Would (\w)(\w+)/g, inPast) });
    expect(stderr).toMatch(/^delete version 2: .*\n$/);
    expect(await versions()).toEqual(['1', '3', '4', '5', '6', '7', '8']);
    expect((await prune()).stdout).toBe('No version to delete. Kept versions 8, 7, 6, 5, 4, 3, 1.\n');
  });

  test('do not include the live version', async () => {
    await moveLive('2');
    await publish(text(9), true);
    const { code, stdout } = await prune('--keep', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      deleted: ['8', '7', '6', '5', '4'],
      kept: ['9', '3', '2', '1'],
      failures: [],
    });
    expect(await versions()).toEqual(['1', '2', '3', '9']);
  });

  test('include what a failed deploy left, and not the version of CloudFormation', async () => {
    const Description = describeAlias('1');
    await aws.lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', Description }));
    await publish(text(9), false);
    const remote: Remote = { functionName: FunctionName, ...aws, step: (_, run) => run() };
    // As after a push, while a deploy may be about to use its new version.
    expect(await pruneVersions(remote, 1, { dryRun: true })).toMatchObject({ kept: ['9', '8', '3', '1'] });
    expect(await pruneVersions(remote, 2, { dryRun: true, orphans: true })).toMatchObject({
      deleted: ['9', '6', '5', '4', '2'],
      kept: ['8', '7', '3', '1'],
    });
    expect((await prune()).stdout).toMatch(/^Deleted versions 9, 2 /);
    // Live again, although CloudFormation went back.
    await publish(text(10), false);
    await moveLive('9');
    expect(await pruneVersions(remote, 9, { orphans: true })).toMatchObject({ deleted: [] });
  });

  test('stay if DeleteFunction is denied, with a report', async () => {
    const restore = aws.fail('DeleteFunction', DENIED);
    const { code, stdout } = await prune();
    restore();
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Version 2 was not deleted: lambda:DeleteFunction: access denied\. Allow lambda:Del/,
    );
  });

  test('stay after an interrupt', async () => {
    let child: ReturnType<typeof start> | undefined;
    aws.before('DeleteFunction', async () => child?.kill('SIGINT'));
    child = start(['prune', '--keep', '1']);
    const { code, stderr } = await finished(child);
    expect(code).toBe(130);
    expect(stderr).toMatch(/\nInterrupted\.\n$/);
    expect(await versions()).toEqual(['1', '2', '3', '4', '5', '6', '8']);
  });

  test('end the command if the alias moves during every update', async () => {
    const remote: Remote = { functionName: FunctionName, ...aws, step: (_, run) => run() };
    let moves = 0;
    const move = async () => {
      await moveLive(++moves % 2 ? '5' : '6');
      if (moves < 10) aws.before('UpdateFunctionCode', move);
    };
    await move();
    await expect(alignLatest(remote)).rejects.toThrow(
      `$LATEST still differs from the live version after 3 updates. Wait until other pushes and rollbacks of ${FunctionName} end.`,
    );
    expect(moves).toBe(4);
    aws.before('UpdateFunctionCode', async () => {});
  });
});

function inPast(_: string, first: string, rest: string): string {
  return first.toUpperCase() + { elete: 'eleted', eep: 'ept' }[rest];
}
