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
import { sentenceOf } from '../../../infra/remote/aws-errors.ts';

const metadata = { $metadata: {} };
const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:polyseek';
const about = { functionName: 'polyseek', region: 'eu-central-1' };

function named(name: string, message = 'No.', code?: string): Error {
  return Object.assign(new Error(message), { name, ...(code && { code }) });
}

/** As `waitUntil…` throws when AWS reports a failure. */
const failure = (reason: string) =>
  new Error(
    JSON.stringify({
      state: 'FAILURE',
      reason: { Configuration: { LastUpdateStatus: 'Failed', LastUpdateStatusReason: reason } },
    }),
  );

describe('an error of AWS becomes a sentence', () => {
  test.each<[string, unknown, Parameters<typeof sentenceOf>[1], string]>([
    [
      'no function',
      new ResourceNotFoundException({ message: `Function not found: ${arn}`, ...metadata }),
      { call: 'lambda:GetFunction', ...about },
      'lambda:GetFunction found no function polyseek in eu-central-1: deploy it with npx cdk deploy, name another with --function, or set AWS_REGION to its region.',
    ],
    [
      'no alias, or no function',
      new ResourceNotFoundException({ message: `Function not found: ${arn}:live`, ...metadata }),
      { call: 'lambda:Invoke', qualifier: 'live', ...about },
      'lambda:Invoke found no function polyseek with the alias live in eu-central-1: deploy it with npx cdk deploy, name another with --function, or set AWS_REGION to its region.',
    ],
    [
      'no alias',
      new ResourceNotFoundException({ message: `Cannot find alias arn: ${arn}:live`, ...metadata }),
      { call: 'lambda:GetAlias', ...about },
      'lambda:GetAlias found no alias live of the function polyseek in eu-central-1: npx cdk deploy makes it.',
    ],
    [
      'no version',
      new ResourceNotFoundException({ message: `Function not found: ${arn}:7`, ...metadata }),
      { call: 'lambda:Invoke', qualifier: '7', ...about },
      'lambda:Invoke found no version 7 of the function polyseek in eu-central-1: npm run remote -- versions lists those that are there.',
    ],
    [
      'a denied action that is named',
      named(
        'AccessDeniedException',
        `User: arn:aws:iam::123456789012:user/me is not authorized to perform: lambda:InvokeFunction on resource: ${arn}:live because no identity-based policy allows the lambda:InvokeFunction action`,
      ),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke was denied: let this AWS identity do lambda:InvokeFunction, or use another with AWS_PROFILE.',
    ],
    [
      'a denied action that is not named',
      named('AccessDenied', 'Access Denied'),
      { call: 's3:PutObject', ...about },
      's3:PutObject was denied: let this AWS identity do s3:PutObject, or use another with AWS_PROFILE.',
    ],
    [
      "the bucket's denial",
      named(
        'AccessDeniedException',
        'Your access has been denied by S3, please make sure your request credentials have permission to GetObject for bucket/key. S3 Error Code: AccessDenied. S3 Error Message: Access Denied',
      ),
      { call: 'lambda:UpdateFunctionCode', ...about },
      'lambda:UpdateFunctionCode was denied: let this AWS identity do s3:GetObject, or use another with AWS_PROFILE.',
    ],
    [
      'throttling',
      new TooManyRequestsException({ message: 'Rate exceeded', ...metadata }),
      { call: 'lambda:UpdateAlias', ...about },
      'lambda:UpdateAlias was throttled at every attempt: wait a minute, then run the command again.',
    ],
    [
      'too many copies',
      new TooManyRequestsException({ message: 'Rate Exceeded.', ...metadata }),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke was throttled at every attempt, as all copies of polyseek that may run are busy: wait and run the command again, or raise the reserved concurrency.',
    ],
    [
      'another update',
      new ResourceConflictException({
        message: `The operation cannot be performed at this time. An update is in progress for resource: ${arn}`,
        ...metadata,
      }),
      { call: 'lambda:UpdateFunctionCode', ...about },
      'lambda:UpdateFunctionCode was refused, as another update of polyseek is under way: wait a minute, then run the command again.',
    ],
    [
      'another change of the alias',
      new PreconditionFailedException({ message: 'The Revision Id provided does not match', ...metadata }),
      { call: 'lambda:UpdateAlias', ...about },
      'lambda:UpdateAlias was refused, as someone else moved the alias live meanwhile: look with npm run remote -- versions, then run the command again.',
    ],
    [
      "another's code",
      named(
        'InvalidParameterValueException',
        'CodeSHA256 (a) is different from current CodeSHA256 in $LATEST (b). Please try again with the CodeSHA256 in $LATEST.',
      ),
      { call: 'lambda:PublishVersion', ...about },
      'lambda:PublishVersion was refused, as someone else changed the code of polyseek meanwhile: look with npm run remote -- versions, then run the command again.',
    ],
    [
      'no bucket',
      new NoSuchBucket({ message: 'The specified bucket does not exist', ...metadata }),
      { call: 's3:PutObject', bucket: 'assets', ...about },
      's3:PutObject found no bucket assets: make it with npx cdk bootstrap in eu-central-1, or name another with --bucket.',
    ],
    [
      'no credentials',
      named('CredentialsProviderError', 'Could not load credentials from any providers'),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke needs AWS credentials, but there are none: run aws configure or aws sso login, or set AWS_PROFILE.',
    ],
    [
      'an expired session of single sign-on',
      named('CredentialsProviderError', 'The SSO session associated with this profile has expired.'),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke was refused, as the AWS session has expired: sign in again (aws sso login, or new keys), then run the command again.',
    ],
    [
      'unknown keys',
      named('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke was refused, as AWS does not know these credentials: check AWS_PROFILE or the keys in the environment.',
    ],
    [
      'a wrong region',
      named('Error', 'getaddrinfo ENOTFOUND lambda.eu-centrl-1.amazonaws.com', 'ENOTFOUND'),
      { call: 'lambda:Invoke', functionName: 'polyseek', region: 'eu-centrl-1' },
      'lambda:Invoke did not reach AWS (getaddrinfo ENOTFOUND lambda.eu-centrl-1.amazonaws.com): check the network and that eu-centrl-1 is a region, then run the command again.',
    ],
    [
      'an update that failed',
      failure('The image "x" is no good'),
      { call: 'lambda:GetFunction', ...about },
      'lambda:GetFunction reports that the update of polyseek failed (The image "x" is no good): run the command again, or npx cdk deploy.',
    ],
    [
      'anything else',
      named('CodeStorageExceededException', 'Code storage limit exceeded'),
      { call: 'lambda:PublishVersion', ...about },
      'lambda:PublishVersion failed (CodeStorageExceededException): Code storage limit exceeded.',
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
      'what is no error',
      'out of order',
      { call: 'lambda:Invoke', ...about },
      'lambda:Invoke failed (Error): out of order.',
    ],
  ])('%s', (_, error, failed, sentence) => {
    expect(sentenceOf(error, failed)).toBe(sentence);
  });

  test('a waiter that gave up', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new LambdaClient({ endpoint: 'http://localhost:1', region: 'eu-central-1', credentials });
    const waiting = waitUntilFunctionUpdatedV2(
      { client, maxWaitTime: 2, maxDelay: 2 },
      { FunctionName: 'x' },
    );
    const error: unknown = await waiting.catch((thrown: unknown) => thrown);
    expect(sentenceOf(error, { call: 'lambda:GetFunction', ...about })).toBe(
      'lambda:GetFunction still reports the update of polyseek as unfinished: look with npm run remote -- versions, then run the command again.',
    );
  });
});
