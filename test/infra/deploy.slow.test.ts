import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  CreateAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../functions/deployed/invoke.ts';
import { readManifest } from '../../index/format/manifest.ts';
import type { Aws } from '../fixtures/aws.ts';
import { startAws } from '../fixtures/aws.ts';
import { createBucket } from '../fixtures/aws-setup.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { ASSETS_BUCKET, cdk, deployedZip, unpack, writeProject } from '../fixtures/cdk.ts';
import { root, temporaryFolder, topicsIndex } from '../fixtures/index.ts';
import { finished, type Outcome } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();
const question = 'How often does the light of the Korvane lighthouse flash?';
/** Types that moto's CloudFormation ignores, mostly silently. Only the tests of the template cover them. */
const UNKNOWN_TO_MOTO = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Permission',
];

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('the life cycle of a stack', () => {
  let aws: Aws;
  let [first, second] = ['', ''];
  const versionOf = (index: string) => readManifest(index, undefined, false).version;
  beforeAll(async () => {
    writeProject(project);
    [first, second] = [await topicsIndex(['en']), await topicsIndex(['en', 'zh'])];
    aws = await startAws();
    await createBucket(aws, ASSETS_BUCKET);
  });
  afterAll(() => aws.stop());

  const settings = { auth: 'none', stack: 'docs', assetsBucket: ASSETS_BUCKET };
  const project = join(folder, 'project');
  const out = join(project, 'cdk.out');
  const run = (args: string[], context: Record<string, string>) =>
    cdk(aws, project, args, { ...settings, ...context });
  /** The output of a command that must succeed. */
  const printed = async (ending: Promise<Outcome>): Promise<string> => {
    const { code, stdout, stderr } = await ending;
    if (code !== 0) throw new Error(stdout + stderr);
    return stdout;
  };
  let deploys = 0;
  const deploy = (context: Record<string, string>) => {
    // moto confuses change sets with the same name in different stacks.
    const name = `change-${++deploys}`;
    return run(['deploy', '--require-approval', 'never', '--change-set-name', name], context);
  };
  const remote = (...args: string[]) => {
    const command = [POLYSEEK, ...args, '--function', 'docs'];
    return finished(spawn(process.execPath, command, { cwd: root, env: { ...process.env, ...aws.env } }));
  };
  const configuration = async () => {
    const command = new GetFunctionConfigurationCommand({ FunctionName: 'docs' });
    const { $metadata: _, ...found } = await aws.lambda.send(command);
    return found;
  };
  const live = async () =>
    (await aws.lambda.send(new GetAliasCommand({ FunctionName: 'docs', Name: 'live' }))).FunctionVersion;
  const versions = async () =>
    (await aws.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'docs' }))).Versions!.map(
      (one) => one.Version,
    );
  /** Version of the live index. */
  const answering = async () => {
    const live = { functionName: 'docs', ...aws, step: <T>(_: string, run: () => Promise<T>) => run() };
    return (await ask(live, { q: question, k: 1, mode: 'hybrid' })).answer.index.version;
  };

  /** The number of resources of each type, as reported by the services instead of CloudFormation. */
  async function made(): Promise<Record<string, number>> {
    const count = async (service: string, body: string, target: string, found: RegExp) => {
      const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/${service}/aws4_request`;
      const headers = {
        authorization,
        'x-amz-target': target,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const response = await fetch(aws.url, { method: 'POST', body, headers });
      return (await response.text()).match(found)?.length ?? 0;
    };
    const published = (await versions()).filter((version) => version !== '$LATEST');
    const all = {
      'AWS::Lambda::Function': (await versions()).length - published.length,
      'AWS::Lambda::Version': published.length,
      'AWS::IAM::Role': await count('iam', 'Action=ListRoles&Version=2010-05-08', '', /<RoleName>docs-/g),
      'AWS::Logs::LogGroup': await count('logs', '{}', 'Logs_20140328.DescribeLogGroups', /"logGroupName"/g),
    };
    return Object.fromEntries(Object.entries(all).filter(([, number]) => number > 0));
  }

  /** The function that the first deploy packaged. Other deploys take it as it is. */
  let packaged = '';

  test('deploy creates the resources of the template', async () => {
    await printed(deploy({ index: first }));
    const template = JSON.parse(readFileSync(join(out, 'docs.template.json'), 'utf8'));
    const expected: Record<string, number> = {};
    for (const { Type } of Object.values(template.Resources as Record<string, { Type: string }>))
      if (!UNKNOWN_TO_MOTO.includes(Type)) expected[Type] = (expected[Type] ?? 0) + 1;
    expect(await made()).toEqual(expected);
    expect(Object.keys(expected).sort()).toEqual([
      'AWS::IAM::Role',
      'AWS::Lambda::Function',
      'AWS::Lambda::Version',
      'AWS::Logs::LogGroup',
    ]);
    expect(await configuration()).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      MemorySize: 1769,
      Timeout: 10,
      Handler: 'lambda.handler',
    });
    expect(await versions()).toEqual(['$LATEST', '1']);
    // The resources that CloudFormation would create.
    await aws.lambda.send(
      new CreateAliasCommand({ FunctionName: 'docs', Name: 'live', FunctionVersion: '1' }),
    );
  });

  test('the deployed zip contains the packaged folder', async () => {
    const zip = await deployedZip(aws, 'docs');
    const unpacked = join(folder, 'unpacked');
    unpack(zip, unpacked);
    const list = (dir: string) =>
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
        .sort();
    const functions = join(project, '.polyseek/functions');
    const [name, ...others] = readdirSync(functions);
    expect(others).toEqual([]);
    packaged = join(functions, name!);
    expect(list(unpacked)).toEqual(list(packaged));
    for (const file of list(unpacked))
      expect(readFileSync(join(unpacked, file)).equals(readFileSync(join(packaged, file))), file).toBe(true);
  });

  test('remote push makes a new index live, and a deploy without changes keeps it live', async () => {
    expect(await answering()).toBe(versionOf(first));
    await printed(remote('push', '--index', second));
    expect(await live()).toBe('2');
    expect(await answering()).toBe(versionOf(second));
    const pushed = await configuration();
    expect(await printed(deploy({ code: packaged }))).toContain('no changes');
    expect(await configuration()).toEqual(pushed);
    expect(await answering()).toBe(versionOf(second));
  }, 400_000);

  /** The only resource of a type in the last template, with its id and properties. */
  const inTemplate = (type: string): { id: string; properties: Record<string, unknown> } => {
    const { Resources } = JSON.parse(readFileSync(join(out, 'docs.template.json'), 'utf8'));
    type Resource = { Type: string; Properties: Record<string, unknown> };
    const [id, { Properties }] = Object.entries<Resource>(Resources).find(([, { Type }]) => Type === type)!;
    return { id, properties: Properties };
  };

  test('a deploy of the pushed index publishes its own version', async () => {
    const [pushed, version] = [await configuration(), inTemplate('AWS::Lambda::Version').id];
    const code = join(folder, 'pushed');
    unpack(await deployedZip(aws, 'docs'), code);
    await printed(deploy({ code }));
    // Lambda does not publish the same code twice, and then CloudFormation fails. Different zips count as different code.
    expect((await configuration()).CodeSha256).not.toBe(pushed.CodeSha256);
    expect(inTemplate('AWS::Lambda::Version').id).not.toBe(version);
  });

  test('remote rollback makes an older version live, and restores its code as the function’s', async () => {
    await printed(remote('rollback', '1'));
    expect(await live()).toBe('1');
    expect(await answering()).toBe(versionOf(first));
  });

  test('destroy leaves only CDK’s bucket', async () => {
    await printed(run(['destroy', '--force'], { index: first }));
    await expect(configuration()).rejects.toThrow('Function not found');
    expect(await made()).toEqual({});
  });
});
