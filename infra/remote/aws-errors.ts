/** A call of AWS that failed, and what it was about. */
export interface FailedCall {
  /** Service and operation, such as `lambda:Invoke`. */
  call: string;
  functionName: string;
  region?: string | undefined;
  /** The version or alias that was asked for. */
  qualifier?: string | undefined;
  bucket?: string | undefined;
}

type Sentence = (failed: FailedCall, message: string) => string;

const expired: Sentence = ({ call }) =>
  `${call} was refused, as the AWS session has expired: sign in again (aws sso login, or new keys), then run the command again.`;

const unknownKeys: Sentence = ({ call }) =>
  `${call} was refused, as AWS does not know these credentials: check AWS_PROFILE or the keys in the environment.`;

const notFound: Sentence = ({ call, functionName, region, qualifier }, message) => {
  const place = region ? ` in ${region}` : '';
  if (qualifier && /^\d+$/.test(qualifier))
    return `${call} found no version ${qualifier} of the function ${functionName}${place}: npm run remote -- versions lists those that are there.`;
  if (message.includes('alias'))
    return `${call} found no alias live of the function ${functionName}${place}: npx cdk deploy makes it.`;
  const alias = qualifier ? ` with the alias ${qualifier}` : '';
  return `${call} found no function ${functionName}${alias}${place}: deploy it with npx cdk deploy, name another with --function, or set AWS_REGION to its region.`;
};

const denied: Sentence = ({ call }, message) =>
  `${call} was denied: let this AWS identity do ${missingAction(call, message)}, or use another with AWS_PROFILE.`;

const throttled: Sentence = ({ call, functionName }) =>
  call === 'lambda:Invoke'
    ? `${call} was throttled at every attempt, as all copies of ${functionName} that may run are busy: wait and run the command again, or raise the reserved concurrency.`
    : `${call} was throttled at every attempt: wait a minute, then run the command again.`;

const noBucket: Sentence = ({ call, bucket, region }) =>
  `${call} found no bucket ${bucket}: make it with npx cdk bootstrap${region ? ` in ${region}` : ''}, or name another with --bucket.`;

const unreachable: Sentence = ({ call, region }, message) =>
  `${call} did not reach AWS (${message}): check the network and that ${region ? `${region} is` : 'AWS_REGION names'} a region, then run the command again.`;

const SENTENCES: Record<string, Sentence> = {
  CredentialsProviderError: (failed, message) =>
    message.includes('expired')
      ? expired(failed, message)
      : `${failed.call} needs AWS credentials, but there are none: run aws configure or aws sso login, or set AWS_PROFILE.`,
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
    `${call} was refused, as another update of ${functionName} is under way: wait a minute, then run the command again.`,
  PreconditionFailedException: ({ call }) =>
    `${call} was refused, as someone else moved the alias live meanwhile: look with npm run remote -- versions, then run the command again.`,
  NoSuchBucket: noBucket,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
};

/** Messages of errors that have no name of their own. */
const MESSAGES: [RegExp, Sentence][] = [
  [
    /^Region (is missing|not accepted)/,
    ({ call }, message) =>
      `${call} needs a region (${message.replace(/\.$/, '')}): set AWS_REGION to the one that the stack is in, such as eu-central-1.`,
  ],
  [
    /Waiter has timed out/,
    ({ call, functionName }) =>
      `${call} still reports the update of ${functionName} as unfinished: look with npm run remote -- versions, then run the command again.`,
  ],
  [
    /"state":"FAILURE"/,
    ({ call, functionName }, message) =>
      `${call} reports that the update of ${functionName} failed (${reasonOf(message)}): run the command again, or npx cdk deploy.`,
  ],
  [
    /CodeSHA256 .*is different/i,
    ({ call, functionName }) =>
      `${call} was refused, as someone else changed the code of ${functionName} meanwhile: look with npm run remote -- versions, then run the command again.`,
  ],
];

/** What to tell of an error of the AWS SDK or its waiters: a sentence that names the call and the next step. */
export function sentenceOf(error: unknown, failed: FailedCall): string {
  const { name = 'Error', message = String(error), code = '' } = details(error);
  const sentence =
    MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? SENTENCES[name] ?? SENTENCES[code];
  if (sentence) return sentence(failed, message || code);
  // What is no answer of AWS (a proxy's page, say) makes the SDK throw several lines, of which the first says what came.
  const [line = ''] = message.split('\n');
  return `${failed.call} failed (${name}): ${line.replace(/\.?$/, '.')}`;
}

function details(error: unknown): { name?: string; message?: string; code?: string } {
  if (!(error instanceof Error)) return {};
  const { name, message } = error;
  return { name, message, code: 'code' in error ? String(error.code) : '' };
}

/** The IAM action that AWS's message names; where it names none, the one that the call needs. */
function missingAction(call: string, message: string): string {
  const named = /not authorized to perform: ?([a-z0-9-]+:\w+)/.exec(message)?.[1];
  if (named) return named;
  // UpdateFunctionCode reads the bucket with the caller's rights.
  if (message.includes('permission to GetObject')) return 's3:GetObject';
  return call === 'lambda:Invoke' ? 'lambda:InvokeFunction' : call;
}

/** AWS's reason in what a waiter throws: a message that is JSON. */
function reasonOf(message: string): string {
  const [, text] = /"(?:LastUpdateStatusReason|StateReason)":("(?:[^"\\]|\\.)*")/.exec(message) ?? [];
  return text ? String(JSON.parse(text)) : 'no reason given';
}
