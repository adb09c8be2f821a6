import { Unavailable } from '../store.ts';

/** A failed call to AWS. */
interface FailedCall {
  /** Service and operation, such as `s3vectors:QueryVectors`. */
  call: string;
  /** The time that the call and its retries had, in milliseconds. */
  limitMs: number;
}

type Describe = (failed: FailedCall, message: string) => string;

// Answers of an endpoint contain these sentences, so they name no bucket: its name may contain the number of the account.

const throttled: Describe = ({ call }) =>
  `AWS throttled ${call} at every attempt: there are too many requests. Wait some seconds, then try again.`;

const late: Describe = ({ call, limitMs }) =>
  `AWS did not answer ${call} within ${Math.round(limitMs / 100) / 10} s. Try again. If this continues, raise the timeout of the function.`;

const denied: Describe = ({ call }) =>
  `${call}: access denied. Allow s3:GetObject and s3:ListBucket on the index's bucket, and s3vectors:QueryVectors and s3vectors:GetVectors on its vector index.`;

const failing: Describe = ({ call }) =>
  `AWS failed to answer ${call} at every attempt. Try again in a minute.`;

const unreachable: Describe = ({ call }) =>
  `${call} did not reach AWS. Check the network, and that AWS_REGION names the region of the index.`;

const unknownKeys: Describe = ({ call }) =>
  `${call} failed: AWS does not accept these credentials, or they have expired. Check AWS_PROFILE or the keys in the environment.`;

const noBucket: Describe = () =>
  "The index's S3 bucket does not exist. Check the address of the index and AWS_REGION, or deploy the stack that creates the bucket.";

const BY_NAME: Record<string, Describe> = {
  AbortError: late,
  TimeoutError: late,
  RequestTimeout: late,
  RequestTimeoutException: late,
  TooManyRequestsException: throttled,
  ThrottlingException: throttled,
  Throttling: throttled,
  SlowDown: throttled,
  AccessDeniedException: denied,
  AccessDenied: denied,
  InternalServerException: failing,
  InternalError: failing,
  ServiceUnavailableException: failing,
  ServiceUnavailable: failing,
  CredentialsProviderError: ({ call }) =>
    `${call} failed: there are no AWS credentials. Run aws configure or aws sso login, or set AWS_PROFILE.`,
  ExpiredTokenException: unknownKeys,
  ExpiredToken: unknownKeys,
  UnrecognizedClientException: unknownKeys,
  InvalidSignatureException: unknownKeys,
  InvalidAccessKeyId: unknownKeys,
  SignatureDoesNotMatch: unknownKeys,
  NoSuchBucket: noBucket,
  PermanentRedirect: noBucket,
  NotFoundException: () =>
    'The vector index does not exist. Check the address of the index and AWS_REGION, or deploy the stack that creates the vector index.',
  NoSuchKey: () =>
    'This generation of the index was deleted while it was read. Try again: the next request reads the newest one.',
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EPIPE: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  EHOSTUNREACH: unreachable,
  ETIMEDOUT: unreachable,
};

/**
 * The error for a failed call: `Unavailable` if a later try may succeed. The SDK's error is its cause.
 * @param error of the SDK
 */
export function explain(error: unknown, failed: FailedCall): Error {
  const { name, message, code, status } = detailsOf(error);
  if (/^Region is missing/.test(message))
    return new Unavailable(`${failed.call} needs a region. Set AWS_REGION to the region of the index.`, {
      cause: error,
    });
  const describe = BY_NAME[name] ?? BY_NAME[code] ?? byStatus(status);
  if (describe) return new Unavailable(describe(failed, message), { cause: error });
  // If the response is not from AWS (a proxy's page, say), the SDK's message has several lines; the first names the problem.
  const [line = ''] = message.split('\n');
  return new Error(`${failed.call} failed (${name}): ${line.replace(/\.?$/, '.')}`, { cause: error });
}

function byStatus(status: number): Describe | undefined {
  if (status === 429 || status === 503) return throttled;
  if (status === 403) return denied;
  return status >= 500 ? failing : undefined;
}

/** What identifies an error of the SDK. */
function detailsOf(error: unknown): { name: string; message: string; code: string; status: number } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: '', status: 0 };
  return {
    name: error.name,
    message: error.message,
    code: 'code' in error ? String(error.code) : '',
    status: statusOf(error),
  };
}

/** The HTTP status of an error's response, or 0. */
export function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !('$metadata' in error)) return 0;
  return Number((error.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode ?? 0);
}
