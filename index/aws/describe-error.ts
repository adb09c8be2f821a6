/** A failed call to AWS, and its subject. */
interface FailedCall {
  /** Service and operation, such as `lambda:Invoke`. */
  call: string;
  /** A function, for calls of Lambda. */
  functionName?: string;
  region?: string | undefined;
  /** The requested version or alias. */
  qualifier?: string | undefined;
  bucket?: string | undefined;
}

type Describe = (failed: FailedCall, message: string) => string;

/** Why a call failed, by the names and codes of errors. */
const NAMES = {
  'no credentials': ['CredentialsProviderError'],
  'expired session': ['ExpiredTokenException', 'ExpiredToken'],
  'unknown keys': [
    'UnrecognizedClientException',
    'InvalidSignatureException',
    'InvalidAccessKeyId',
    'SignatureDoesNotMatch',
  ],
  'no region': [],
  denied: ['AccessDeniedException', 'AccessDenied'],
  throttled: ['TooManyRequestsException', 'ThrottlingException', 'Throttling', 'SlowDown'],
  // AWS answered late, or not at all.
  late: ['AbortError', 'TimeoutError', 'RequestTimeout', 'RequestTimeoutException'],
  // AWS answered that it failed.
  failing: ['InternalServerException', 'InternalError', 'ServiceUnavailableException', 'ServiceUnavailable'],
  unreachable: ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT'],
  'no bucket': ['NoSuchBucket', 'PermanentRedirect'],
  'no vector index': ['NotFoundException'],
  'no object': ['NoSuchKey', 'NotFound'],
  // The condition of a read does not hold: the object is the same as the known one.
  unchanged: [],
  // The condition of a write or read does not hold.
  unmet: ['PreconditionFailed'],
  // Two conditional writes of an object met each other.
  conflict: ['ConditionalRequestConflict'],
  archived: ['InvalidObjectState'],
  'no function': ['ResourceNotFoundException'],
  updating: ['ResourceConflictException'],
  'alias moved': ['PreconditionFailedException'],
  'code storage full': ['CodeStorageExceededException'],
  'update not finished': [],
  'update failed': [],
  'code changed': [],
} satisfies Record<string, string[]>;

export type Failure = keyof typeof NAMES | 'other';

const BY_NAME = new Map(
  Object.entries(NAMES).flatMap(([failure, names]) =>
    names.map((name): [string, Failure] => [name, failure as Failure]),
  ),
);

/** Failures that a later attempt may not have. */
const PASSING = new Set<Failure>(['throttled', 'late', 'failing', 'unreachable', 'conflict']);

/** For errors that a name does not identify. */
const BY_MESSAGE: [RegExp, Failure][] = [
  [/^Region (is missing|not accepted)/, 'no region'],
  [/Waiter has timed out/, 'update not finished'],
  [/"state":"FAILURE"/, 'update failed'],
  [/CodeSHA256 .*is different/i, 'code changed'],
  [/\b(session|token)\b.*\bexpired\b/i, 'expired session'],
];

/** By the HTTP status of an answer whose error has no known name. */
const BY_STATUS: Record<number, Failure> = {
  304: 'unchanged',
  403: 'denied',
  412: 'unmet',
  429: 'throttled',
  503: 'throttled',
};

/** A sentence for each failure: the call, the reason and the next step. */
export type Sentences = Partial<Record<Failure, Describe>>;

/** Sentences that fit everywhere. */
export const COMMON = {
  'no credentials': ({ call }) =>
    `${call} failed: no AWS credentials. Run aws configure or aws sso login, or set AWS_PROFILE.`,
  'expired session': ({ call }) =>
    `${call} failed: the AWS session has expired. Sign in again (aws sso login, or new keys), then run the command again.`,
  'unknown keys': ({ call }) =>
    `${call} failed: AWS does not accept these credentials. Check AWS_PROFILE or the keys in the environment.`,
  'no region': ({ call }, message) =>
    `${call} needs a region (${message.replace(/\.$/, '')}). Set AWS_REGION to the stack's region, such as eu-central-1.`,
} satisfies Sentences;

/** Sentences for people who run commands. Their callers handle the other failures. */
const COMMANDS: Sentences = {
  denied: ({ call, bucket = '' }, message) => {
    const owner = ownerOf(bucket);
    // S3 answers the same if the bucket belongs to another account than expected.
    const foreign = owner
      ? ` If it is allowed, ${bucket} does not belong to account ${owner}: do not use it.`
      : '';
    return `${call}: access denied. Allow ${missingAction(call, message)} for this AWS identity, or choose another with AWS_PROFILE.${foreign}`;
  },
  throttled: ({ call, functionName }) =>
    call === 'lambda:Invoke'
      ? `${call} was throttled at every attempt: all allowed instances of ${functionName} are busy. Wait and run the command again, or raise the reserved concurrency.`
      : `${call} was throttled at every attempt. Wait a minute, then run the command again.`,
  late: ({ call }) => `${call} got no answer in time. Check the network, then run the command again.`,
  failing: ({ call }) => `AWS failed to answer ${call} at every attempt. Run the command again in a minute.`,
  unreachable: ({ call, region }, message) =>
    `${call} did not reach AWS (${message}). Check the network, and that ${region ? `${region} is` : 'AWS_REGION names'} a region.`,
  'no bucket': ({ call, bucket, region }) =>
    `${call}: no bucket ${bucket}. Create it with npx cdk bootstrap${region ? ` in ${region}` : ''}, or pass another with --bucket.`,
  'no function': ({ call, functionName, region, qualifier }, message) => {
    const place = region ? ` in ${region}` : '';
    if (qualifier && /^\d+$/.test(qualifier))
      return `${call}: ${functionName}${place} has no version ${qualifier}. npx polyseek versions lists the versions.`;
    if (message.includes('alias'))
      return `${call}: ${functionName}${place} has no alias live. Create it with npx cdk deploy.`;
    const alias = qualifier ? ` with the alias ${qualifier}` : '';
    return `${call}: no function ${functionName}${alias}${place}. Deploy it with npx cdk deploy, pass another name with --function, or set AWS_REGION to its region.`;
  },
  updating: ({ call, functionName }) =>
    `${call} failed: another update of ${functionName} is in progress. Wait a minute, then run the command again.`,
  'alias moved': ({ call }) =>
    `${call} failed: someone else has moved the alias live. Check with npx polyseek versions, then run the command again.`,
  'code storage full': ({ call }) =>
    `${call} failed: the account's storage for code is full. Delete old versions with npx polyseek prune.`,
  'update not finished': ({ call, functionName }) =>
    `${call}: the update of ${functionName} is still not finished. Check with npx polyseek versions, then run the command again.`,
  'update failed': ({ call, functionName }, message) =>
    `${call}: the update of ${functionName} failed (${reasonOf(message)}). Run the command again, or npx cdk deploy.`,
  'code changed': ({ call, functionName }) =>
    `${call} failed: someone else has changed the code of ${functionName}. Check with npx polyseek versions, then run the command again.`,
};

/** Why a call failed: by an error of the SDK or its waiters, or by the one that is its cause. */
export function failureOf(error: unknown): Failure {
  return known(error).failure;
}

/**
 * Whether a call may succeed later: throttling, failures of AWS, cut connections. After a refusal because of this machine's clock, the
 * SDK signs the next request with the time of AWS.
 */
export function isPassing(error: unknown): boolean {
  return PASSING.has(failureOf(error)) || metadataOf(error).clockSkewCorrected !== undefined;
}

function metadataOf(error: unknown): { httpStatusCode?: number; clockSkewCorrected?: boolean } {
  return (error instanceof Error && Reflect.get(error, '$metadata')) || {};
}

/** Describes an error of the AWS SDK or its waiters to someone who runs a command. `sentences` replace those of other commands. */
export function describeError(error: unknown, failed: FailedCall, sentences: Sentences = {}): string {
  return describeFailure(error, failed, { ...COMMON, ...COMMANDS, ...sentences });
}

/** The same with other sentences only, for the answer of an endpoint. */
export function describeFailure(error: unknown, failed: FailedCall, sentences: Sentences): string {
  const { failure, name, message } = known(error);
  const describe = sentences[failure];
  if (describe) return describe(failed, message);
  // If the response is not from AWS (a proxy's page, say), the SDK's message has several lines; the first names the problem.
  const [line = ''] = message.split('\n');
  return `${failed.call} failed (${name}): ${line.replace(/\.?$/, '.')}`;
}

/** The first error with a known reason, from an error to its cause. */
function known(error: unknown): { failure: Failure; name: string; message: string } {
  if (!(error instanceof Error)) return { failure: 'other', name: 'Error', message: String(error) };
  const { name, cause } = error;
  const code = 'code' in error ? String(error.code) : '';
  const message = error.message || code;
  const { httpStatusCode: status = 0 } = metadataOf(error);
  const failure =
    BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ??
    BY_NAME.get(name) ??
    BY_NAME.get(code) ??
    BY_STATUS[status] ??
    (status >= 500 ? 'failing' : 'other');
  const inner = failure === 'other' && cause instanceof Error ? known(cause) : undefined;
  return inner && inner.failure !== 'other' ? inner : { failure, name, message };
}

/**
 * The account that a bucket must belong to, from its name: those of `cdk bootstrap` and of a stack's own bucket contain it. Everyone can
 * compute such a name, and create the bucket first in another account.
 * @returns undefined for another name
 */
export function ownerOf(bucket: string): string | undefined {
  return /^(?:cdk|polyseek)-.+-(\d{12})-[a-z]+(?:-[a-z]+)+-\d$/.exec(bucket)?.[1];
}

/** IAM actions whose names differ from the call's. */
const ACTIONS: Record<string, string> = {
  'lambda:Invoke': 'lambda:InvokeFunction',
  's3:ListObjectsV2': 's3:ListBucket',
  's3:DeleteObjects': 's3:DeleteObject',
  's3:GetBucketNotificationConfiguration': 's3:GetBucketNotification',
};

/** The IAM action that AWS's message names; otherwise the one that the call needs. */
function missingAction(call: string, message: string): string {
  const named = /not authorized to perform: ?([a-z0-9-]+:\w+)/.exec(message)?.[1];
  if (named) return named;
  // UpdateFunctionCode reads the bucket with the caller's rights.
  if (message.includes('permission to GetObject')) return 's3:GetObject';
  return ACTIONS[call] ?? call;
}

/** AWS's reason in a waiter's error, whose message is JSON. */
function reasonOf(message: string): string {
  const [, text] = /"(?:LastUpdateStatusReason|StateReason)":("(?:[^"\\]|\\.)*")/.exec(message) ?? [];
  return text ? String(JSON.parse(text)) : 'no reason given';
}
