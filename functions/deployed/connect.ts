import {
  type FunctionConfiguration,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateAliasCommand,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { describeError } from '../../index/aws/errors.ts';
import { s3Client } from '../../index/aws/s3.ts';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { bootstrapBucket } from './resource-names.ts';
import { readStackVersion } from './version-description.ts';

/** The alias that the endpoint invokes. */
export const LIVE = 'live';

/** Settings of both waiters, in seconds. */
const WAITING = { minDelay: 1, maxDelay: 5, maxWaitTime: 300 };

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

/** The result of a push or rollback. */
export interface Outcome {
  /** The version that is live now. */
  live: string;
  /** The version that was live before. */
  was: string;
  /** The version that gets a share of the requests. */
  canary?: Canary;
  /** The result as a sentence. */
  message: string;
}

/** The code of a version, and its target. */
export interface Configuration {
  version: string;
  /** SHA-256 of the zip, in base64. */
  codeSha256: string;
  architecture: Architecture;
  /** Memory, environment and the like, as a text that is equal for equal settings. */
  settings: string;
  /** Its description, which names the index of a published version. */
  description: string | undefined;
  /** The bucket that `cdk bootstrap` made for the function's account and region. */
  bootstrapBucket: string;
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

/** A version that gets a share of the requests, besides the live one. */
export interface Canary {
  version: string;
  /** Of 100 requests. */
  percent: number;
}

/** The alias `live`. */
export interface Alias {
  version: string;
  /** Detects changes by others. */
  revision: string;
  canary: Canary | undefined;
  /** The version that CloudFormation published last; undefined if it never moves the alias, or an older polyseek deployed it. */
  stackVersion: string | undefined;
}

export async function readAlias({ lambda, functionName }: Remote): Promise<Alias> {
  const { FunctionVersion, RevisionId, RoutingConfig, Description } = await lambda.send(
    new GetAliasCommand({ FunctionName: functionName, Name: LIVE }),
  );
  const [share] = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
  return {
    version: FunctionVersion!,
    revision: RevisionId!,
    canary: share && { version: share[0], percent: Math.round(share[1] * 100) },
    stackVersion: readStackVersion(Description),
  };
}

/**
 * Points `live` at a version. Fails if someone else moved it after its revision was read.
 * @param canary gets its share from now on; without it, the version gets all requests
 */
export async function moveAlias(
  { lambda, functionName }: Remote,
  version: string,
  revision: string,
  canary?: Canary,
): Promise<void> {
  const AdditionalVersionWeights = canary ? { [canary.version]: canary.percent / 100 } : {};
  await lambda.send(
    new UpdateAliasCommand({
      FunctionName: functionName,
      Name: LIVE,
      FunctionVersion: version,
      RevisionId: revision,
      // Lambda keeps the shares of before unless they are named.
      RoutingConfig: { AdditionalVersionWeights },
    }),
  );
}

/** Names of errors that leave a question about AWS open: no such function, or no right to ask. */
const UNKNOWN = ['ResourceNotFoundException', 'AccessDeniedException', 'AccessDenied'];

/** The result of calls; undefined if the function does not exist, or this AWS identity may not ask. */
export async function ifKnown<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && error.cause instanceof Error && UNKNOWN.includes(error.cause.name))
      return undefined;
    throw error;
  }
}

/** Sends all requests to the live version again. */
export function endCanary(
  remote: Remote,
  live: string,
  revision: string,
  { version }: Canary,
): Promise<void> {
  return remote.step(`end the share of version ${version}`, () => moveAlias(remote, live, revision));
}

/** Reads the configuration of a version; default: `$LATEST`. */
export async function readConfiguration(
  { lambda, functionName, qualifier }: Remote,
  version?: string,
): Promise<Configuration> {
  const found = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: version }),
  );
  const [, , , region = '', account = ''] = found.FunctionArn!.split(':');
  return {
    version: found.Version!,
    codeSha256: found.CodeSha256!,
    architecture: found.Architectures?.[0] === 'arm64' ? 'arm64' : 'x86_64',
    settings: settingsOf(found),
    description: found.Description,
    bootstrapBucket: bootstrapBucket(account, region, qualifier),
  };
}

/** The settings that a version copies from `$LATEST` when it is published. Its state and dates belong to the version alone. */
const SETTINGS = [
  'Runtime',
  'Role',
  'Handler',
  'Timeout',
  'MemorySize',
  'VpcConfig',
  'DeadLetterConfig',
  'Environment',
  'KMSKeyArn',
  'TracingConfig',
  'Layers',
  'FileSystemConfigs',
  'Architectures',
  'EphemeralStorage',
  'LoggingConfig',
] as const satisfies readonly (keyof FunctionConfiguration)[];

function settingsOf(configuration: FunctionConfiguration): string {
  return JSON.stringify(SETTINGS.map((name) => sorted(configuration[name] ?? null)));
}

/** A value with sorted keys and lists: AWS promises no order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(sorted(one))).sort();
  return Object.entries(value)
    .map(([key, one]) => [key, sorted(one)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** Waits until new code has reached `$LATEST`. */
export function waitForUpdate({ lambda, functionName }: Remote): Promise<void> {
  return waited('lambda:GetFunction', functionName, () =>
    waitUntilFunctionUpdatedV2({ client: lambda, ...WAITING }, { FunctionName: functionName }),
  );
}

/** Waits until a new version can be invoked. */
export function waitForVersion({ lambda, functionName }: Remote, version: string): Promise<void> {
  return waited('lambda:GetFunctionConfiguration', functionName, () =>
    waitUntilPublishedVersionActive(
      { client: lambda, ...WAITING },
      { FunctionName: functionName, Qualifier: version },
    ),
  );
}

async function waited(call: string, functionName: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    throw new Error(describeError(cause, { call, functionName }), { cause });
  }
}
