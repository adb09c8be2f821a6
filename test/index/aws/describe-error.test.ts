import {
  LambdaClient,
  PreconditionFailedException,
  ResourceConflictException,
  ResourceNotFoundException,
  TooManyRequestsException,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { NoSuchBucket } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../index/aws/describe-error.ts';

const metadata = { $metadata: {} };
const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:polyseek';
const about = { functionName: 'polyseek', region: 'eu-central-1' };

function named(name: string, message = 'No.', code?: string): Error {
  return Object.assign(new Error(message), { name, ...(code && { code }) });
}

/** The error that `waitUntil…` throws when AWS reports a failure. */
const failure = (reason: string) =>
  new Error(
    JSON.stringify({
      state: 'FAILURE',
      reason: { Configuration: { LastUpdateStatus: 'Failed', LastUpdateStatusReason: reason } },
    }),
  );

describe('an AWS error becomes a sentence', () => {
  test.each<[string, unknown, Parameters<typeof describeError>[1], string]>([
    [
      'no function',
      new ResourceNotFoundException({ message: `Function not found: ${arn}`, ...metadata }),
      { call: 'lambda:GetFunction', ...about },
      'lambda:GetFunction: no function polyseek in eu-central-1. Deploy it with npx cdk deploy, pass another name with --function, or set AWS_REGION to its region.',
    ],
    [
      'no alias, or no function',
      new ResourceNotFoundException({ message: `Function not found: ${arn}:live`, ...metadata }),
      { call: 'lambda:Invoke', qualifier: 'live', ...about },
      'lambda:Invoke: no function polyseek with the alias live in eu-central-1. Deploy it with npx cdk deploy, pass another name with --function, or set AWS_REGION to its region.',
    ],
    [
      'no alias',
      new ResourceNotFoundException({ message: `Cannot find alias arn: ${arn}:live`, ...metadata }),
      { call: 'lambda:GetAlias', ...about },
      'lambda:GetAlias: polyseek in eu-central-1 has no alias live. Create it with npx cdk deploy.',
    ],
    [
      'no version',
      new ResourceNotFoundException({ message: `Function not found: ${arn}:7`, ...metadata }),
      { call: 'lambda:Invoke', qualifier: '7', ...about },
      'lambda:Invoke: polyseek in eu-central-1 has no version 7. npx polyseek versions lists the versions.',
    ],
    [
      'a denied action with a name',
      named(
        'AccessDeniedException',
        `User: arn:aws:iam::123456789012:user/me is not authorized to perform: lambda:InvokeFunction on resource: ${arn}:live because no identity-based policy allows the lambda:InvokeFunction action`,
      ),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke: access denied. Allow lambda:InvokeFunction for this AWS identity, or choose another with AWS_PROFILE.',
    ],
    [
      'a denied action without a name',
      named('AccessDenied', 'Access Denied'),
      { call: 's3:PutObject', ...about },
      's3:PutObject: access denied. Allow s3:PutObject for this AWS identity, or choose another with AWS_PROFILE.',
    ],
    [
      'a denial that may mean a bucket of someone else',
      named('AccessDenied', 'Access Denied'),
      { call: 's3:PutObject', ...about, bucket: 'cdk-hnb659fds-assets-123456789012-eu-central-1' },
      's3:PutObject: access denied. Allow s3:PutObject for this AWS identity, or choose another with AWS_PROFILE. If it is allowed, cdk-hnb659fds-assets-123456789012-eu-central-1 does not belong to account 123456789012: do not use it.',
    ],
    [
      "the bucket's denial",
      named(
        'AccessDeniedException',
        'Your access has been denied by S3, please make sure your request credentials have permission to GetObject for bucket/key. S3 Error Code: AccessDenied. S3 Error Message: Access Denied',
      ),
      { call: 'lambda:UpdateFunctionCode', ...about },
      'lambda:UpdateFunctionCode: access denied. Allow s3:GetObject for this AWS identity, or choose another with AWS_PROFILE.',
    ],
    [
      'throttling',
      new TooManyRequestsException({ message: 'Rate exceeded', ...metadata }),
      { call: 'lambda:UpdateAlias', ...about },
      'lambda:UpdateAlias was throttled at every attempt. Wait a minute, then run the command again.',
    ],
    [
      'too many instances',
      new TooManyRequestsException({ message: 'Rate Exceeded.', ...metadata }),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke was throttled at every attempt: all allowed instances of polyseek are busy. Wait and run the command again, or raise the reserved concurrency.',
    ],
    [
      'another update',
      new ResourceConflictException({
        message: `The operation cannot be performed at this time. An update is in progress for resource: ${arn}`,
        ...metadata,
      }),
      { call: 'lambda:UpdateFunctionCode', ...about },
      'lambda:UpdateFunctionCode failed: another update of polyseek is in progress. Wait a minute, then run the command again.',
    ],
    [
      'another change of the alias',
      new PreconditionFailedException({ message: 'The Revision Id provided does not match', ...metadata }),
      { call: 'lambda:UpdateAlias', ...about },
      'lambda:UpdateAlias failed: someone else has moved the alias live. Check with npx polyseek versions, then run the command again.',
    ],
    [
      "another's code",
      named(
        'InvalidParameterValueException',
        'CodeSHA256 (a) is different from current CodeSHA256 in $LATEST (b). Please try again with the CodeSHA256 in $LATEST.',
      ),
      { call: 'lambda:PublishVersion', ...about },
      'lambda:PublishVersion failed: someone else has changed the code of polyseek. Check with npx polyseek versions, then run the command again.',
    ],
    [
      'no bucket',
      new NoSuchBucket({ message: 'The specified bucket does not exist', ...metadata }),
      { call: 's3:PutObject', bucket: 'assets', ...about },
      's3:PutObject: no bucket assets. Create it with npx cdk bootstrap in eu-central-1, or pass another with --bucket.',
    ],
    [
      'no credentials',
      named('CredentialsProviderError', 'Could not load credentials from any providers'),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke failed: no AWS credentials. Run aws configure or aws sso login, or set AWS_PROFILE.',
    ],
    [
      'an expired session of single sign-on',
      named('CredentialsProviderError', 'The SSO session associated with this profile has expired.'),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke failed: the AWS session has expired. Sign in again (aws sso login, or new keys), then run the command again.',
    ],
    [
      'unknown keys',
      named('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke failed: AWS does not accept these credentials. Check AWS_PROFILE or the keys in the environment.',
    ],
    [
      'a wrong region',
      named('Error', 'getaddrinfo ENOTFOUND lambda.eu-centrl-1.amazonaws.com', 'ENOTFOUND'),
      { call: 'lambda:Invoke', functionName: 'polyseek', region: 'eu-centrl-1' },
      'lambda:Invoke did not reach AWS (getaddrinfo ENOTFOUND lambda.eu-centrl-1.amazonaws.com). Check the network, and that eu-centrl-1 is a region.',
    ],
    [
      'an update that failed',
      failure('The image "x" is no good'),
      { call: 'lambda:GetFunction', ...about },
      'lambda:GetFunction: the update of polyseek failed (The image "x" is no good). Run the command again, or npx cdk deploy.',
    ],
    [
      'a full account',
      named('CodeStorageExceededException', 'Code storage limit exceeded'),
      { call: 'lambda:PublishVersion', ...about },
      "lambda:PublishVersion failed: the account's storage for code is full. Delete old versions with npx polyseek prune.",
    ],
    [
      'a denied listing of the bucket',
      named('AccessDenied', 'Access Denied'),
      { call: 's3:ListObjectsV2', ...about },
      's3:ListObjectsV2: access denied. Allow s3:ListBucket for this AWS identity, or choose another with AWS_PROFILE.',
    ],
    [
      'anything else',
      named('ServiceException', 'Internal error'),
      { call: 'lambda:PublishVersion', ...about },
      'lambda:PublishVersion failed (ServiceException): Internal error.',
    ],
    [
      'an error of several lines',
      named(
        'Error',
        'mismatched tags <html> and </title>.\n  Deserialization error: inspect {error}.$response.',
      ),
      { call: 's3:PutObject', ...about },
      's3:PutObject failed (Error): mismatched tags <html> and </title>.',
    ],
    [
      'a value that is not an error',
      'out of order',
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke failed (Error): out of order.',
    ],
  ])('%s', (_, error, failed, sentence) => {
    expect(describeError(error, failed)).toBe(sentence);
  });

  test('a waiter that timed out becomes a sentence', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new LambdaClient({ endpoint: 'http://localhost:1', region: 'eu-central-1', credentials });
    const waiting = waitUntilFunctionUpdatedV2(
      { client, maxWaitTime: 2, maxDelay: 2 },
      { FunctionName: 'x' },
    );
    const error: unknown = await waiting.catch((thrown: unknown) => thrown);
    expect(describeError(error, { call: 'lambda:GetFunction', ...about })).toBe(
      'lambda:GetFunction: the update of polyseek is still not finished. Check with npx polyseek versions, then run the command again.',
    );
  });
});
