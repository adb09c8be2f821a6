import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateAliasCommand,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import type { Architecture } from '../../index/engine/architecture.ts';
import { sentenceOf } from './aws-errors.ts';

/** The alias that answers. */
export const LIVE = 'live';

/** What both waiters get: seconds. */
const PATIENCE = { minDelay: 1, maxDelay: 5, maxWaitTime: 300 };

/** A deployed function. Every call to AWS that fails throws an `Error` whose message is a sentence; its `cause` is the SDK's error. */
export interface Remote {
  functionName: string;
  /** Where code is uploaded to; without it, the bucket that `cdk bootstrap` made. */
  bucket?: string | undefined;
  lambda: LambdaClient;
  s3: S3Client;
  /** Does a step and tells of it. */
  step: <T>(what: string, run: () => Promise<T>) => Promise<T>;
}

/** What became of the version that is live. */
export interface Outcome {
  /** The version that is live now, and the one that was before. */
  live: string;
  was: string;
  /** The same as a sentence. */
  message: string;
}

/** A version's code, and what it was made for. */
export interface Configuration {
  version: string;
  /** SHA-256 of the zip, in base64. */
  codeSha256: string;
  architecture: Architecture;
  /** The bucket that `cdk bootstrap` made for the function's account and region. */
  bootstrapBucket: string;
}

/** Clients for the account and region that AWS's own settings name. Calls nothing yet. */
export function connect({
  functionName,
  bucket,
  step,
}: Pick<Remote, 'functionName' | 'bucket' | 'step'>): Remote {
  const lambda = new LambdaClient({});
  // A stand-in for AWS has one host name, with none for each bucket below it.
  const s3 = new S3Client({ forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });

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
      throw new Error(sentenceOf(cause, { call, ...about }), { cause });
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
  return { functionName, bucket, lambda, s3, step };
}

/** The version that `live` points at, and what guards its change against others'. */
export async function readAlias({
  lambda,
  functionName,
}: Remote): Promise<{ version: string; revision: string }> {
  const { FunctionVersion, RevisionId } = await lambda.send(
    new GetAliasCommand({ FunctionName: functionName, Name: LIVE }),
  );
  return { version: FunctionVersion!, revision: RevisionId! };
}

/** Points `live` at another version, unless someone else has moved it since its revision was read. */
export async function moveAlias(
  { lambda, functionName }: Remote,
  version: string,
  revision: string,
): Promise<void> {
  const input = { FunctionName: functionName, Name: LIVE, FunctionVersion: version, RevisionId: revision };
  await lambda.send(new UpdateAliasCommand(input));
}

/** What a version, or `$LATEST` without one, is. */
export async function readConfiguration(
  { lambda, functionName }: Remote,
  version?: string,
): Promise<Configuration> {
  const found = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: version }),
  );
  const [, , , region, account] = found.FunctionArn!.split(':');
  return {
    version: found.Version!,
    codeSha256: found.CodeSha256!,
    architecture: found.Architectures?.[0] === 'arm64' ? 'arm64' : 'x86_64',
    bootstrapBucket: `cdk-hnb659fds-assets-${account}-${region}`,
  };
}

/** Waits until new code has reached `$LATEST`. */
export function waitForUpdate({ lambda, functionName }: Remote): Promise<void> {
  return waited('lambda:GetFunction', functionName, () =>
    waitUntilFunctionUpdatedV2({ client: lambda, ...PATIENCE }, { FunctionName: functionName }),
  );
}

/** Waits until a new version can be invoked. */
export function waitForVersion({ lambda, functionName }: Remote, version: string): Promise<void> {
  return waited('lambda:GetFunctionConfiguration', functionName, () =>
    waitUntilPublishedVersionActive(
      { client: lambda, ...PATIENCE },
      { FunctionName: functionName, Qualifier: version },
    ),
  );
}

async function waited(call: string, functionName: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    throw new Error(sentenceOf(cause, { call, functionName }), { cause });
  }
}
