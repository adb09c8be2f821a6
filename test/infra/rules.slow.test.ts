import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { SettingsInput } from '../../infra/schema.ts';
import { SearchStack } from '../../infra/stack.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { missingTools, tools } from '../fixtures/tools.ts';
import { unpackagedApp } from './templates.ts';

const folder = temporaryFolder();
beforeAll(() => {
  vi.stubEnv('CDK_VALIDATION', 'true');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const apiKeys = {
  chatbot: 'a'.repeat(64),
  site: { sha256: 'b'.repeat(64), origins: ['https://www.example.com'] },
};
const monitored = { alarmEmail: 'ops@example.com', dashboard: true, tracing: true };
const domain = {
  domainName: 'search.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a0a0a0a-0000-4000-8000-000000000000',
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
};
const webAclArn =
  'arn:aws:wafv2:us-east-1:123456789012:global/webacl/search/0a0a0a0a-0000-4000-8000-000000000000';
const network = { vpcId: 'vpc-0123abcd', subnetIds: ['subnet-0a', 'subnet-0b'] };
const jwt: SettingsInput = {
  auth: 'jwt',
  jwtIssuer: 'https://id.example.com',
  jwtAudience: ['search'],
};

/** Settings that together make every resource, with each access control and store. */
const SHAPES: Record<string, SettingsInput> = {
  open: { auth: 'none', ...monitored },
  'with keys and a domain': { apiKeys, ...domain, provisionedConcurrency: 2 },
  'behind a distribution': { apiKeys, distribution: true, githubRepository: 'someone/docs' },
  'behind a distribution with a domain': { apiKeys, ...domain, distribution: true, webAclArn },
  'with tokens, on arm64': { ...jwt, apiKeys, architecture: 'arm64' },
  'for AWS identities': { auth: 'iam', cors: ['https://example.com'], ...network },
  'without an address': { auth: 'iam', endpoint: 'none' },
  'documents of its own': { auth: 'iam', documents: true, ...monitored },
  'documents in a bucket': { auth: 'iam', documents: 's3://my-docs/manuals' },
  'S3 Vectors': { auth: 'iam', store: 's3vectors', githubRepository: 'someone/docs' },
  'S3 Vectors and documents': { auth: 'iam', store: 's3vectors', documents: 's3://my-docs/manuals' },
};

/**
 * Synthesizes a stack. CloudFormation's rules and cdk-nag's AWS Solutions check it, and what they find is an error.
 * @param spoil changes its function before
 */
function synthesize(settings: SettingsInput, spoil?: (fn: LambdaFunction) => void): Template {
  const app = unpackagedApp(folder, { '@aws-cdk/core:validateAgainstDefaultRules': true });
  const stack = new SearchStack(app, 'docs', settings);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  spoil?.(stack.search.function);
  return Template.fromStack(stack);
}

const files: string[] = [];

test.each(Object.entries(SHAPES))('CDK and cdk-nag find no problems in a stack %s', (name, settings) => {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(synthesize(settings).toJSON()));
  files.push(file);
});

test.skipIf(missingTools('cfn-lint'))('cfn-lint finds no problems in any of these templates', async () => {
  expect(files).toHaveLength(Object.keys(SHAPES).length);
  const bad = join(folder, 'bad.json');
  const Resources = { One: { Type: 'AWS::Lambda::Function', Properties: {} } };
  writeFileSync(bad, JSON.stringify({ Resources }));
  // W3005: CDK adds a dependency on the role, which the function's reference already implies.
  const lint = promisify(execFile)(tools['cfn-lint'], [
    ...['--format', 'parseable', '--ignore-checks', 'W3005', '--', bad],
    ...files,
  ]);
  const { stdout } = (await lint.catch((error: unknown) => error)) as { stdout: string };
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => !line.startsWith(bad))).toEqual([]);
  expect(lines.join()).toContain('E3003');
});

describe('the checks above are in force', () => {
  test('cdk-nag', () => {
    const all = new PolicyStatement({ actions: ['s3:*'], resources: ['*'] });
    expect(() => synthesize({ auth: 'iam' }, (fn) => fn.addToRolePolicy(all))).toThrow('AwsSolutions-IAM5');
  });

  test('CloudFormation', () => {
    const spoil = (fn: LambdaFunction) =>
      (fn.node.defaultChild as CfnFunction).addPropertyOverride('MemorySize', 'much');
    expect(() => synthesize({ auth: 'iam' }, spoil)).toThrow('MemorySize');
  });
});
