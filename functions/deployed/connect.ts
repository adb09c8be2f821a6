import { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { describeError, failureOf } from '../../index/aws/describe-error.ts';
import { s3Client } from '../../index/aws/s3.ts';

/** The alias that the endpoint invokes. */
export const LIVE = 'live';

/** A deployed function. A failed call to AWS throws an `Error` with a sentence for people; its `cause` is the SDK's error. */
export interface Remote {
  functionName: string;
  /** Bucket for uploads; default: the one that `cdk bootstrap` made. */
  bucket?: string | undefined;
  /** Part of the name of that bucket; default: CDK's own. */
  qualifier?: string | undefined;
  lambda: LambdaClient;
  s3: S3Client;
  /** Runs a step and reports it. Throws `Interrupted` instead if the user has interrupted the command. */
  step: <T>(name: string, run: () => Promise<T>) => Promise<T>;
}

/** The user interrupted the command between two steps. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted.');
  }
}

/** Creates clients for the account and region in AWS's own settings. Makes no call. */
export function connect({
  functionName,
  bucket,
  qualifier,
  step,
}: Pick<Remote, 'functionName' | 'bucket' | 'qualifier' | 'step'>): Remote {
  const lambda = new LambdaClient({});
  const s3 = s3Client();

  async function explained<T>(call: string, input: object, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      const text = (name: string) => {
        const value: unknown = Reflect.get(input, name);
        return typeof value === 'string' ? value : undefined;
      };
      const region = await lambda.config.region().catch(() => undefined);
      const about = { functionName, region, qualifier: text('Qualifier'), bucket: text('Bucket') };
      throw new Error(describeError(cause, { call, ...about }), { cause });
    }
  }
  const operation = (commandName = '') => commandName.replace(/Command$/, '');
  lambda.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        explained(`lambda:${operation(commandName)}`, args.input, () => next(args)),
    { step: 'initialize', priority: 'high' },
  );
  s3.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        explained(`s3:${operation(commandName)}`, args.input, () => next(args)),
    { step: 'initialize', priority: 'high' },
  );
  return { functionName, bucket, qualifier, lambda, s3, step };
}

/** The result of calls; undefined if the function does not exist, or this AWS identity may not ask. */
export async function ifKnown<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    if (['no function', 'denied'].includes(failureOf(error))) return undefined;
    throw error;
  }
}
