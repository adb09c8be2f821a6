import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CreateAliasCommand, CreateFunctionCommand, PublishVersionCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipFolder } from '../../functions/deployed/asset.ts';
import { describeVersion } from '../../functions/deployed/version-description.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { type Aws, type AwsCall, startAws } from '../fixtures/aws.ts';
import { createBucket, createRole } from '../fixtures/aws-setup.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { writeProject } from '../fixtures/cdk.ts';
import { temporaryFolder, topicsFunction, topicsIndex } from '../fixtures/index.ts';
import { finished, type Outcome } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';
import { stackOf } from './templates.ts';

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: { StringEquals?: object; StringLike?: Record<string, string> };
}
interface RoleProperties {
  AssumeRolePolicyDocument: { Statement: object[] };
  Policies: { PolicyDocument: { Statement: Statement[] } }[];
}

const folder = temporaryFolder();
const FunctionName = 'docs';
const ARN = `arn:aws:lambda:eu-central-1:123456789012:function:${FunctionName}`;
const BUCKET = 'cdk-hnb659fds-assets-123456789012-eu-central-1';
const repository = 'someone/docs';

const template = Template.fromStack(
  stackOf(folder, { auth: 'iam', githubRepository: repository, architecture: 'x86_64' }),
);

/** A role that trusts GitHub. */
function pushRole(from: Template): RoleProperties {
  const roles = Object.values(from.findResources('AWS::IAM::Role')) as { Properties: RoleProperties }[];
  return roles.find(({ Properties }) => JSON.stringify(Properties).includes('githubusercontent'))!.Properties;
}

/** The text of a value of CloudFormation, in the account and region of moto. */
function resolve(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, ...functions } = value as { Ref?: string } & Record<string, unknown>;
  const names: Record<string, string> = {
    'AWS::Partition': 'aws',
    'AWS::AccountId': '123456789012',
    'AWS::Region': 'eu-central-1',
  };
  if (Ref) return names[Ref]!;
  if ('Fn::Join' in functions) {
    const [separator, parts] = functions['Fn::Join'] as [string, unknown[]];
    return parts.map(resolve).join(separator);
  }
  // The only attribute in these policies is the function's ARN.
  expect(functions).toMatchObject({ 'Fn::GetAtt': [expect.stringContaining('SearchFunction'), 'Arn'] });
  return ARN;
}

const list = <Item>(value: Item | Item[]) => (Array.isArray(value) ? value : [value]);
const matches = (glob: string, text: string) =>
  new RegExp(`^${glob.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\*', '.*')}$`).test(text);

const statements = pushRole(template).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

/** Whether the role's policy allows a call. */
function isAllowed({ action, resource, prefix = '' }: AwsCall): boolean {
  return statements.some(
    ({ Effect, Action, Resource, Condition }) =>
      Effect === 'Allow' &&
      list(Action).includes(action) &&
      list(Resource).some((one) => matches(resolve(one), resource)) &&
      matches(Condition?.StringLike?.['s3:prefix'] ?? '*', prefix),
  );
}

test('only workflows of the main branch of the repository may assume the role', () => {
  const trusted = (from: Template) => pushRole(from).AssumeRolePolicyDocument.Statement;
  const [provider] = Object.entries(template.findResources('AWS::IAM::OIDCProvider'));
  // Destroying this stack must not break other stacks and repositories of the account.
  expect(provider![1]).toMatchObject({
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
  });
  expect(provider![1].Properties).toEqual({
    Url: 'https://token.actions.githubusercontent.com',
    ClientIdList: ['sts.amazonaws.com'],
  });
  const statement = (Federated: unknown, sub: string) => ({
    Effect: 'Allow',
    Action: 'sts:AssumeRoleWithWebIdentity',
    Principal: { Federated },
    Condition: {
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': sub,
      },
    },
  });
  const arn = { Ref: provider![0] };
  expect(trusted(template)).toEqual([statement(arn, 'repo:someone/docs:ref:refs/heads/main')]);

  const existing = 'arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com';
  const stack = stackOf(folder, {
    auth: 'iam',
    githubRepository: 'someone@123/docs@456',
    githubOidcProviderArn: existing,
  });
  const imported = Template.fromStack(stack);
  imported.resourceCountIs('AWS::IAM::OIDCProvider', 0);
  expect(trusted(imported)).toEqual([statement(existing, 'repo:someone@123/docs@456:ref:refs/heads/main')]);
});

test('the command that shows the name in the tokens of the repository is printed', () => {
  const command = 'gh api repos/someone/docs/actions/oidc/customization/sub --jq \\.sub_claim_prefix';
  for (const githubRepository of [repository, 'someone@123/docs@456']) {
    const stack = stackOf(folder, { auth: 'iam', githubRepository });
    Annotations.fromStack(stack).hasInfo('*', Match.stringLikeRegexp(command));
    Annotations.fromStack(stack).hasInfo('*', Match.stringLikeRegexp('set githubOidcProviderArn'));
  }
});

test('the role uses no bucket of another account', () => {
  const ofS3 = statements.filter(({ Action }) => list(Action)[0]!.startsWith('s3:'));
  expect(ofS3).toHaveLength(1);
  for (const { Condition } of ofS3)
    expect(Condition).toMatchObject({ StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } });
});

test('the role may not do more', () => {
  for (const call of [
    { action: 'lambda:DeleteFunction', resource: ARN },
    { action: 'lambda:GetFunction', resource: `${ARN}-other` },
    { action: 'lambda:UpdateFunctionConfiguration', resource: ARN },
    { action: 's3:PutObject', resource: `arn:aws:s3:::${BUCKET}/other.zip` },
    { action: 's3:GetObject', resource: `arn:aws:s3:::other/polyseek/a.zip` },
    { action: 's3:ListBucket', resource: `arn:aws:s3:::${BUCKET}` },
  ])
    expect(isAllowed(call), JSON.stringify(call)).toBe(false);
  expect(isAllowed({ action: 'lambda:DeleteFunction', resource: `${ARN}:7` })).toBe(true);
});

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('polyseek push', () => {
  const project = join(folder, 'project');
  let first: string;
  let aws: Aws;
  const push = (...args: string[]): Promise<Outcome> => {
    const env = { PATH: process.env.PATH, ...aws.env };
    return finished(spawn(process.execPath, [POLYSEEK, 'push', ...args], { cwd: project, env }));
  };

  /** The state after a deploy of the stage: version 1 is live. */
  beforeAll(async () => {
    first = await topicsIndex(['en']);
    const second = await topicsIndex(['en', 'zh']);
    const { version } = readManifest(first, undefined, false);
    writeProject(project, {
      stack: 'other',
      stages: { prod: { stack: FunctionName, index: second, collections: { en: first } } },
    });
    aws = await startAws();
    await createBucket(aws, BUCKET);
    await createRole(aws);
    const Body = zipFolder(await topicsFunction(['en']));
    await aws.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'first.zip', Body }));
    await aws.lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: 'arn:aws:iam::123456789012:role/search',
        Runtime: 'nodejs24.x',
        Handler: 'lambda.handler',
        MemorySize: 1769,
        Timeout: 10,
        Code: { S3Bucket: BUCKET, S3Key: 'first.zip' },
      }),
    );
    const Description = describeVersion({ version, passages: 1, model: 'multilingual-e5-small' });
    await aws.lambda.send(new PublishVersionCommand({ FunctionName, Description }));
    await aws.lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  });
  afterAll(() => aws.stop());

  test('calls what the role allows, and nothing else, with success, failure and old versions', async () => {
    aws.calls.length = 0;
    const failed = await push('--stage', 'prod', '--ask', 'Who won the football world cup in 1974?');
    expect(failed.stderr).toContain('Version 1 stays live; version 2 was deleted.');
    // The index and the collections of the stage.
    expect(await push('--stage', 'prod', '--keep', '1')).toMatchObject({ code: 0 });
    const next = await push('--stage', 'prod', '--keep', '1', '--index', first);
    expect(next.stdout).toMatch(/is live .*\nDeleted version \d /s);

    const refused = aws.calls.filter((call) => !isAllowed(call));
    expect(refused).toEqual([]);
    const allowed = statements.flatMap(({ Action }) => list(Action));
    expect([...new Set(aws.calls.map(({ action }) => action))].sort()).toEqual(allowed.sort());
  });
});
