import { ownerOf } from './bucket-owner.ts';

/** A failed call to AWS, and its subject. */
export interface FailedCall {
  /** Service and operation, such as `lambda:Invoke`. */
  call: string;
  functionName: string;
  region?: string | undefined;
  /** The requested version or alias. */
  qualifier?: string | undefined;
  bucket?: string | undefined;
}

type Describe = (failed: FailedCall, message: string) => string;

const expired: Describe = ({ call }) =>
  `${call} failed: the AWS session has expired. Sign in again (aws sso login, or new keys), then run the command again.`;

const unknownKeys: Describe = ({ call }) =>
  `${call} failed: AWS does not accept these credentials. Check AWS_PROFILE or the keys in the environment.`;

const notFound: Describe = ({ call, functionName, region, qualifier }, message) => {
  const place = region ? ` in ${region}` : '';
  if (qualifier && /^\d+$/.test(qualifier))
    return `${call}: ${functionName}${place} has no version ${qualifier}. npx polyseek versions lists the versions.`;
  if (message.includes('alias'))
    return `${call}: ${functionName}${place} has no alias live. Create it with npx cdk deploy.`;
  const alias = qualifier ? ` with the alias ${qualifier}` : '';
  return `${call}: no function ${functionName}${alias}${place}. Deploy it with npx cdk deploy, pass another name with --function, or set AWS_REGION to its region.`;
};

const denied: Describe = ({ call, bucket = '' }, message) => {
  const owner = ownerOf(bucket);
  // S3 answers the same if the bucket belongs to another account than expected.
  const foreign = owner
    ? ` If it is allowed, ${bucket} does not belong to account ${owner}: do not use it.`
    : '';
  return `${call}: access denied. Allow ${missingAction(call, message)} for this AWS identity, or choose another with AWS_PROFILE.${foreign}`;
};

const throttled: Describe = ({ call, functionName }) =>
  call === 'lambda:Invoke'
    ? `${call} was throttled at every attempt: all allowed instances of ${functionName} are busy. Wait and run the command again, or raise the reserved concurrency.`
    : `${call} was throttled at every attempt. Wait a minute, then run the command again.`;

const noBucket: Describe = ({ call, bucket, region }) =>
  `${call}: no bucket ${bucket}. Create it with npx cdk bootstrap${region ? ` in ${region}` : ''}, or pass another with --bucket.`;

const unreachable: Describe = ({ call, region }, message) =>
  `${call} did not reach AWS (${message}). Check the network, and that ${region ? `${region} is` : 'AWS_REGION names'} a region.`;

const BY_NAME: Record<string, Describe> = {
  CredentialsProviderError: (failed, message) =>
    message.includes('expired')
      ? expired(failed, message)
      : `${failed.call} failed: no AWS credentials. Run aws configure or aws sso login, or set AWS_PROFILE.`,
  ExpiredTokenException: expired,
  ExpiredToken: expired,
  UnrecognizedClientException: unknownKeys,
  InvalidSignatureException: unknownKeys,
  InvalidAccessKeyId: unknownKeys,
  SignatureDoesNotMatch: unknownKeys,
  ResourceNotFoundException: notFound,
  AccessDeniedException: denied,
  AccessDenied: denied,
  TooManyRequestsException: throttled,
  ThrottlingException: throttled,
  Throttling: throttled,
  SlowDown: throttled,
  ResourceConflictException: ({ call, functionName }) =>
    `${call} failed: another update of ${functionName} is in progress. Wait a minute, then run the command again.`,
  PreconditionFailedException: ({ call }) =>
    `${call} failed: someone else has moved the alias live. Check with npx polyseek versions, then run the command again.`,
  CodeStorageExceededException: ({ call }) =>
    `${call} failed: the account's storage for code is full. Delete old versions with npx polyseek prune.`,
  NoSuchBucket: noBucket,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
};

/** For errors without a name of their own. */
const BY_MESSAGE: [RegExp, Describe][] = [
  [
    /^Region (is missing|not accepted)/,
    ({ call }, message) =>
      `${call} needs a region (${message.replace(/\.$/, '')}). Set AWS_REGION to the stack's region, such as eu-central-1.`,
  ],
  [
    /Waiter has timed out/,
    ({ call, functionName }) =>
      `${call}: the update of ${functionName} is still not finished. Check with npx polyseek versions, then run the command again.`,
  ],
  [
    /"state":"FAILURE"/,
    ({ call, functionName }, message) =>
      `${call}: the update of ${functionName} failed (${reasonOf(message)}). Run the command again, or npx cdk deploy.`,
  ],
  [
    /CodeSHA256 .*is different/i,
    ({ call, functionName }) =>
      `${call} failed: someone else has changed the code of ${functionName}. Check with npx polyseek versions, then run the command again.`,
  ],
];

/** Describes an error of the AWS SDK or its waiters: the call, the reason and the next step. */
export function describeError(error: unknown, failed: FailedCall): string {
  const { name = 'Error', message = String(error), code = '' } = details(error);
  const describe =
    BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? BY_NAME[name] ?? BY_NAME[code];
  if (describe) return describe(failed, message || code);
  // If the response is not from AWS (a proxy's page, say), the SDK's message has several lines; the first names the problem.
  const [line = ''] = message.split('\n');
  return `${failed.call} failed (${name}): ${line.replace(/\.?$/, '.')}`;
}

function details(error: unknown): { name?: string; message?: string; code?: string } {
  if (!(error instanceof Error)) return {};
  const { name, message } = error;
  return { name, message, code: 'code' in error ? String(error.code) : '' };
}

/** IAM actions whose names differ from the call's. */
const ACTIONS: Record<string, string> = {
  'lambda:Invoke': 'lambda:InvokeFunction',
  's3:ListObjectsV2': 's3:ListBucket',
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
