import { Lazy } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { checkSettings, requireApiKey } from '../../infra/schema.ts';

const keys = { apiKeys: { chatbot: '0'.repeat(64) } };

test('defaults', () => {
  expect(checkSettings(keys)).toEqual({
    ...keys,
    index: '.polyseek/index',
    collections: {},
    store: 'bundle',
    documents: false,
    buildSchedule: 'rate(1 day)',
    builderMemory: 3008,
    architecture: 'x86_64',
    memorySize: 1769,
    timeout: 10,
    auth: 'api-key',
    jwtAudience: [],
    contracts: false,
    feedback: false,
    chatSecrets: {},
    cors: [],
    throttleRate: 50,
    throttleBurst: 100,
    browserThrottleRate: 20,
    reservedConcurrency: 'none',
    distribution: false,
    cacheTtl: 60,
    logRetention: 30,
    logQuestions: false,
    page: true,
    dashboard: false,
    tracing: false,
    endpoint: 'public',
    subnetIds: [],
  });
});

test('an open endpoint has lower limits by default', () => {
  const open = checkSettings({ auth: 'none' });
  expect(open).toMatchObject({
    throttleRate: 5,
    throttleBurst: 10,
    browserThrottleRate: 5,
    reservedConcurrency: 5,
  });
  const limits = { throttleRate: 20, throttleBurst: 30, reservedConcurrency: 'none' } as const;
  expect(checkSettings({ auth: 'none', ...limits })).toMatchObject(limits);
});

const wrong: [object, string][] = [
  [{ memorySize: 64 }, 'memorySize is 64, but must be a whole number from 256 to 10240.'],
  [{ memorySize: 'much' }, 'memorySize is "much", but must be a whole number from 256 to 10240.'],
  [{ timeout: 30 }, 'timeout is 30, but must be a whole number from 1 to 29.'],
  [{ timeout: 1.5 }, 'timeout is 1.5, but must be a whole number from 1 to 29.'],
  [{ architecture: 'arm' }, 'architecture is "arm", but must be one of x86_64, arm64.'],
  [
    { chatSecrets: { SLACK_SECRET: 'polyseek/slack' } },
    'chatSecrets is {"SLACK_SECRET":"polyseek/slack"}, but must be an object of SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN, TEAMS_SECRET and names of secrets in AWS Secrets Manager.',
  ],
  [{ chatSecrets: { TEAMS_SECRET: 'a}}' } }, 'chatSecrets is {"TEAMS_SECRET":"a}}"}, but must be an object'],
  [{ auth: 'key' }, 'auth is "key", but must be one of none, api-key, iam, jwt.'],
  [
    { apiKeys: { chatbot: 'secret' } },
    'apiKeys has no digest under "chatbot", but must be an object of names',
  ],
  [{ apiKeys: { 'a b': '0'.repeat(64) } }, 'apiKeys has a name that is not 1 to 32 of'],
  [{ apiKeys: 'x' }, 'apiKeys is not an object, but must be'],
  [{ auth: 'jwt' }, 'auth is jwt, but jwtIssuer or jwtAudience is missing. Set both.'],
  [
    { auth: 'jwt', jwtIssuer: 'http://id.example.com', jwtAudience: ['a'] },
    'an address that begins with https://',
  ],
  [{ cors: ['example.com'] }, 'cors is ["example.com"], but must be * or a list of origins such as'],
  [{ cors: ['https://example.com/path'] }, 'without a path.'],
  [{ logRetention: 2 }, 'logRetention is 2, but must be one of 1, 3, 5, 7,'],
  [{ alarmEmail: 'me' }, 'alarmEmail is "me", but must be an e-mail address.'],
  [
    { reservedConcurrency: 0 },
    'reservedConcurrency is 0, but must be none or a whole number from 1 to 1000.',
  ],
  [{ throttleRate: 0 }, 'throttleRate is 0, but must be a whole number from 1 to 10000.'],
  [{ functionName: 'a b' }, 'functionName is "a b", but must be 1 to 64 letters, digits, _ or -.'],
  [
    { collections: { HR: 'hr' } },
    'collections is {"HR":"hr"}, but must be an object with names of 1 to 32 of the characters a-z, 0-9 and -.',
  ],
  [{ domainName: 'https://a.example' }, 'but must be a domain name such as search.example.com.'],
  [{ certificateArn: 'mine' }, 'but must be the ARN of a certificate in AWS Certificate Manager.'],
  [
    { githubRepository: 'polyseek' },
    'githubRepository is "polyseek", but must be a repository such as owner/name.',
  ],
  [
    { webAclArn: 'arn:aws:wafv2:eu-central-1:1:regional/webacl/a/b' },
    'a WAF web ACL with the scope CLOUDFRONT.',
  ],
  [
    { webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b' },
    'webAclArn needs distribution, because AWS WAF does not protect HTTP APIs. Set distribution to true.',
  ],
  [{ code: 'a', collections: { hr: 'b' } }, 'code and collections are both set'],
  [{ store: 's3' }, 'store is "s3", but must be one of bundle, s3vectors.'],
  [{ documents: 'docs' }, 'documents is "docs", but must be true or an address such as s3://bucket/prefix.'],
  [{ documents: 's3://My_Bucket/a' }, 'but must be true or an address such as s3://bucket/prefix.'],
  [{ documents: 's3://bucket/a b' }, 'but must be true or an address such as s3://bucket/prefix.'],
  [
    { buildSchedule: 'daily' },
    'buildSchedule is "daily", but must be none, or a schedule such as rate(1 day) or cron(0 3 * * ? *).',
  ],
  [{ builderMemory: 128 }, 'builderMemory is 128, but must be a whole number from 256 to 10240.'],
  [{ documents: true, collections: { hr: 'hr' } }, 'collections works only with indexes that are packaged'],
  [
    { store: 's3vectors', collections: { hr: 'hr' } },
    'collections works only with indexes that are packaged',
  ],
  [{ documents: true, code: 'a' }, 'code is a folder with an index'],
  [{ store: 's3vectors', code: 'a' }, 'code is a folder with an index'],
  [
    { documents: true, provisionedConcurrency: 1 },
    'provisionedConcurrency does not work with documents and store bundle',
  ],
  [{ documents: true, functionName: 'a'.repeat(57) }, 'functionName is too long for documents'],
  [
    { store: 's3vectors', functionName: Lazy.string({ produce: () => 'a' }) },
    'functionName is known only when it is deployed',
  ],
  [{ vpcId: 'vpc-1' }, 'vpcId and subnetIds belong together, but one of them is missing. Set both.'],
  [{ subnetIds: ['subnet-1'] }, 'vpcId and subnetIds belong together'],
  [{ vpcId: 'mine', subnetIds: ['subnet-1'] }, 'vpcId is "mine", but must be the ID of a VPC'],
  [{ endpoint: 'secret' }, 'endpoint is "secret", but must be one of public, none.'],
  [{ endpoint: 'none', distribution: true }, 'endpoint is none, so that no address leads to the function.'],
  [{ endpoint: 'none', domainName: 'a.example.com' }, 'endpoint is none, so that no address'],
  [{ assetsBucket: 'My Bucket' }, 'assetsBucket is "My Bucket", but must be the name of a bucket.'],
  [{ cacheTtl: 0 }, 'cacheTtl is 0, but must be a whole number from 1 to 86400.'],
  [{ auth: 'iam', distribution: true }, 'auth is iam, but a distribution changes the host'],
  [
    { auth: 'none', provisionedConcurrency: 6 },
    'provisionedConcurrency is higher than reservedConcurrency. Lower it, or raise reservedConcurrency.',
  ],
  [{ memroy: 512 }, 'Unknown setting memroy. Settings: index, collections, code, store,'],
];

test.each(wrong)('refuses %j with a sentence', (props, sentence) => {
  expect(() => checkSettings({ ...keys, ...props })).toThrow(sentence);
});

test('an endpoint with auth api-key requires a key for deploying, but not for reading its settings', () => {
  expect(() => requireApiKey(checkSettings({}))).toThrow(
    'auth is api-key, but there is no API key. Create one with npx polyseek key NAME, or choose -c auth=none, iam or jwt.',
  );
  for (const props of [keys, { auth: 'none' } as const, { auth: 'iam' } as const])
    expect(() => requireApiKey(checkSettings(props))).not.toThrow();
});

test.each([
  { documents: true },
  { documents: 's3://bucket' },
  { documents: 's3://bucket/a/b', functionName: 'a'.repeat(56), buildSchedule: 'none' },
  { documents: true, store: 's3vectors', provisionedConcurrency: 1, buildSchedule: 'cron(0 3 * * ? *)' },
  { documents: false, collections: { hr: 'hr' } },
] as const)('accepts %j', (props) => {
  expect(checkSettings({ ...keys, ...props })).toMatchObject(props);
});

test('every wrong value has its own sentence', () => {
  const props = { memorySize: 1, timeout: 99, ...keys };
  expect(() => checkSettings(props)).toThrow(/^memorySize is 1, .*\. timeout is 99, .*\.$/);
});

test('accepts tokens, whose text is known only when they are deployed', () => {
  const issuer = Lazy.string({ produce: () => 'https://id.example.com' });
  const settings = checkSettings({ auth: 'jwt', jwtIssuer: issuer, jwtAudience: ['search'] });
  expect(settings.jwtIssuer).toBe(issuer);
});
