import { Token } from 'aws-cdk-lib';
import * as v from 'valibot';
import { builderName, THROTTLE } from '../functions/deployed/settings.ts';
import { type ApiKeySetting, toApiKeys } from '../functions/search/auth.ts';
import { collectionExpected, isCollectionName } from '../functions/search/paths.ts';
import { DEFAULT_INDEX } from '../index/format/manifest.ts';

/** Retention periods of CloudWatch Logs, in days. 9,999 keeps logs for ever, as in CDK's `RetentionDays`. */
const RETENTION = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  9999,
];

const whole = (min: number, max: number, or = '') => {
  const expected = `${or}a whole number from ${min} to ${max}`;
  const isInRange = (value: number) => Number.isInteger(value) && value >= min && value <= max;
  return v.pipe(v.number(expected), v.check(isInRange, expected));
};
/** A text of a format. A token, such as the URL of a user pool in the same app, gets its text only when it is deployed. */
const pattern = (regex: RegExp, expected: string) =>
  v.pipe(
    v.string(expected),
    v.check((text) => Token.isUnresolved(text) || regex.test(text), expected),
  );
const oneOf = <const Values extends readonly string[]>(values: Values) =>
  v.picklist(values, `one of ${values.join(', ')}`);
const names = (expected: string) => v.array(v.string(expected), expected);

const origin = pattern(
  /^(\*|https?:\/\/[^/\s]+)$/,
  '* or a list of origins such as https://example.com, without a path',
);

/** Lambda's limit for a function's name, in characters. */
const MAX_FUNCTION_NAME = 64;

const documentsExpected = 'true or an address such as s3://bucket/prefix';
const documents = pattern(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/\S*)?$/, documentsExpected);
const scheduleExpected = 'none, or a schedule such as rate(1 day) or cron(0 3 * * ? *)';

/** Variables that functions/search/contracts/chats.ts reads. */
const CHAT_VARIABLES = ['SLACK_SIGNING_SECRET', 'SLACK_BOT_TOKEN', 'TEAMS_SECRET'] as const;
const chatSecretsExpected = `an object of ${CHAT_VARIABLES.join(', ')} and names of secrets in AWS Secrets Manager`;
const secretName = pattern(/^[\w/+=.@-]{1,512}$/, chatSecretsExpected);

// The message of a schema is the expected value, for "memorySize is 64, but must be <message>."
const inputSchema = v.strictObject({
  index: v.optional(v.string('a path'), DEFAULT_INDEX),
  collections: v.optional(
    v.record(
      v.pipe(v.string(), v.check(isCollectionName, `an object with names of ${collectionExpected}`)),
      v.string('a path'),
      'an object of names and folders of indexes',
    ),
    {},
  ),
  code: v.optional(v.string('a path')),
  store: v.optional(oneOf(['bundle', 's3vectors']), 'bundle'),
  documents: v.optional(v.union([v.boolean(documentsExpected), documents], documentsExpected), false),
  buildSchedule: v.optional(
    pattern(/^(none|rate\([^()]+\)|cron\([^()]+\))$/, scheduleExpected),
    'rate(1 day)',
  ),
  builderMemory: v.optional(whole(256, 10_240), 3008),
  architecture: v.optional(oneOf(['x86_64', 'arm64']), 'x86_64'),
  memorySize: v.optional(whole(256, 10_240), 1769),
  timeout: v.optional(whole(1, 29), 10),
  functionName: v.optional(pattern(/^[\w-]{1,64}$/, '1 to 64 letters, digits, _ or -')),
  auth: v.optional(oneOf(['none', 'api-key', 'iam', 'jwt']), 'api-key'),
  // Checked by `toApiKeys`, whose errors never quote a value, as it might be a key.
  apiKeys: v.optional(
    v.custom<Record<string, ApiKeySetting>>(() => true),
    {},
  ),
  jwtIssuer: v.optional(pattern(/^https:\/\/\S+$/, 'an address that begins with https://')),
  jwtAudience: v.optional(names('a list of names'), []),
  jwtScope: v.optional(pattern(/^\S+$/, 'the name of a scope')),
  jwtGroups: v.optional(pattern(/^\S+$/, 'the name of a claim')),
  cors: v.optional(v.array(origin, 'a list of origins'), []),
  page: v.optional(v.boolean('true or false'), true),
  contracts: v.optional(v.boolean('true or false'), false),
  feedback: v.optional(v.boolean('true or false'), false),
  chatSecrets: v.optional(
    v.record(v.picklist(CHAT_VARIABLES, chatSecretsExpected), secretName, chatSecretsExpected),
    {},
  ),
  throttleRate: v.optional(whole(1, 10_000)),
  throttleBurst: v.optional(whole(1, 10_000)),
  browserThrottleRate: v.optional(whole(1, 10_000)),
  reservedConcurrency: v.optional(
    v.union([v.literal('none'), whole(1, 1000, 'none or ')], 'none or a whole number from 1 to 1000'),
  ),
  provisionedConcurrency: v.optional(whole(1, 1000)),
  logRetention: v.optional(v.picklist(RETENTION, `one of ${RETENTION.join(', ')}`), 30),
  logQuestions: v.optional(v.boolean('true or false'), false),
  alarmEmail: v.optional(pattern(/^\S+@\S+\.\S+$/, 'an e-mail address')),
  dashboard: v.optional(v.boolean('true or false'), false),
  tracing: v.optional(v.boolean('true or false'), false),
  endpoint: v.optional(oneOf(['public', 'none']), 'public'),
  vpcId: v.optional(pattern(/^vpc-\w+$/, 'the ID of a VPC, such as vpc-0123456789abcdef0')),
  subnetIds: v.optional(
    v.array(pattern(/^subnet-\w+$/, 'a list of IDs of subnets'), 'a list of IDs of subnets'),
    [],
  ),
  assetsBucket: v.optional(pattern(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket')),
  domainName: v.optional(pattern(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'a domain name such as search.example.com')),
  certificateArn: v.optional(
    pattern(/^arn:[\w-]+:acm:/, 'the ARN of a certificate in AWS Certificate Manager'),
  ),
  hostedZoneId: v.optional(
    pattern(/^\w+$/, 'the ID of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ'),
  ),
  distribution: v.optional(v.boolean('true or false'), false),
  // CloudFront refuses a policy that has a cache key and caches nothing.
  cacheTtl: v.optional(whole(1, 86_400), 60),
  webAclArn: v.optional(
    pattern(/^arn:[\w-]+:wafv2:us-east-1:\d+:global\//, 'the ARN of a WAF web ACL with the scope CLOUDFRONT'),
  ),
  githubRepository: v.optional(pattern(/^[\w.@-]+\/[\w.@-]+$/, 'a repository such as owner/name')),
  githubOidcProviderArn: v.optional(
    pattern(/^arn:[\w-]+:iam::\d+:oidc-provider\//, 'the ARN of an IAM OIDC provider'),
  ),
});

/** Names of all settings of a stack. */
export const SETTINGS = Object.keys(inputSchema.entries);

/** Settings of a stack as simple values, as in cdk.json. */
export type SettingsInput = v.InferInput<typeof inputSchema>;

const settingsSchema = v.pipe(
  inputSchema,
  v.check(
    ({ auth, jwtIssuer, jwtAudience }) =>
      auth !== 'jwt' || (jwtIssuer !== undefined && jwtAudience.length > 0),
    'auth is jwt, but jwtIssuer or jwtAudience is missing. Set both.',
  ),
  v.check(
    ({ auth, distribution }) => auth !== 'iam' || !distribution,
    'auth is iam, but a distribution changes the host that the signature of a request includes. Remove distribution, or choose another auth.',
  ),
  v.check(
    ({ vpcId, subnetIds }) => (vpcId !== undefined) === subnetIds.length > 0,
    'vpcId and subnetIds belong together, but one of them is missing. Set both.',
  ),
  v.check(
    ({ endpoint, distribution, domainName }) => endpoint === 'public' || !(distribution || domainName),
    'endpoint is none, so that no address leads to the function. Remove domainName and distribution, or set endpoint to public.',
  ),
  v.check(
    ({ code, collections }) => code === undefined || Object.keys(collections).length === 0,
    'code and collections are both set, but code contains its collections already. Pass them to npx polyseek package --collection, or remove code.',
  ),
  v.check(
    ({ collections, ...settings }) => Object.keys(collections).length === 0 || !readsElsewhere(settings),
    'collections works only with indexes that are packaged on this machine, so not with documents or store s3vectors. Remove collections, or give each its own stack.',
  ),
  v.check(
    ({ code, ...settings }) => code === undefined || !readsElsewhere(settings),
    'code is a folder with an index, but with documents or store s3vectors the function is packaged without one. Remove code.',
  ),
  v.check(
    ({ store, documents, provisionedConcurrency }) =>
      provisionedConcurrency === undefined || !documents || store !== 'bundle',
    'provisionedConcurrency does not work with documents and store bundle: CloudFormation would also move the alias live back to the version without an index. Remove provisionedConcurrency, or set store to s3vectors.',
  ),
  v.check(
    ({ functionName, ...settings }) => !Token.isUnresolved(functionName) || !readsElsewhere(settings),
    'functionName is known only when it is deployed, but with documents or store s3vectors other resources are named after it. Write the name itself, or remove functionName.',
  ),
  v.check(
    ({ documents, functionName = '' }) => !documents || builderName(functionName).length <= MAX_FUNCTION_NAME,
    `functionName is too long for documents: the name of the builder adds ${builderName('').length} characters, and Lambda's limit is ${MAX_FUNCTION_NAME}. Shorten functionName (in cdk.json: or stack).`,
  ),
  v.check(
    ({ webAclArn, distribution }) => !webAclArn || distribution,
    'webAclArn needs distribution, because AWS WAF does not protect HTTP APIs. Set distribution to true.',
  ),
  v.transform(({ throttleRate, throttleBurst, browserThrottleRate, reservedConcurrency, ...settings }) => {
    const limits = settings.auth === 'none' ? THROTTLE.open : THROTTLE.closed;
    const rate = throttleRate ?? limits.rate;
    return {
      ...settings,
      throttleRate: rate,
      throttleBurst: throttleBurst ?? 2 * rate,
      browserThrottleRate: browserThrottleRate ?? limits.browserRate,
      reservedConcurrency: reservedConcurrency ?? limits.instances,
    };
  }),
  v.check(
    ({ provisionedConcurrency = 0, reservedConcurrency }) =>
      reservedConcurrency === 'none' || provisionedConcurrency <= reservedConcurrency,
    'provisionedConcurrency is higher than reservedConcurrency. Lower it, or raise reservedConcurrency.',
  ),
);

/** Whether the function is packaged without an index. */
export function readsElsewhere(settings: { store: string; documents: string | boolean }): boolean {
  return settings.store === 's3vectors' || settings.documents !== false;
}

/** Checked settings with all defaults. */
export type Settings = v.InferOutput<typeof settingsSchema>;

/**
 * Checks settings and fills in defaults.
 * @throws with one sentence for each wrong value
 */
export function checkSettings(input: SettingsInput): Settings {
  toApiKeys(input.apiKeys ?? {}, 'apiKeys');
  const result = v.safeParse(settingsSchema, input, { abortPipeEarly: true });
  if (result.success) return result.output;
  throw new Error(result.issues.map(describe).join(' '));
}

/**
 * Checks that an endpoint with `auth: api-key` has a key. `checkSettings` does not, as destroying a stack needs none.
 * @throws if there is no key, with the remedies
 */
export function requireApiKey({ auth, apiKeys }: Settings): void {
  if (auth === 'api-key' && Object.keys(apiKeys).length === 0)
    throw new Error(
      'auth is api-key, but there is no API key. Create one with npx polyseek key NAME, or choose -c auth=none, iam or jwt.',
    );
}

function describe(issue: v.BaseIssue<unknown>): string {
  const [first, ...inner] = issue.path ?? [];
  if (!first) return issue.message;
  const name = String(first.key);
  if (issue.type === 'strict_object') return `Unknown setting ${name}. Settings: ${SETTINGS.join(', ')}.`;
  const value = inner.length > 0 ? first.value : issue.input;
  return `${name} is ${JSON.stringify(value)}, but must be ${issue.message}.`;
}
