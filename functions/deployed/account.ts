import { GetAccountSettingsCommand, GetFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { GetBucketNotificationConfigurationCommand, ListBucketsCommand } from '@aws-sdk/client-s3';
import { failureOf } from '../../index/aws/describe-error.ts';
import { ifKnown, type Remote } from './connect.ts';
import type { DeployedSettings } from './settings.ts';

/** What is known of the AWS account and region that a command would use. */
export interface Environment {
  region: string;
  /** Whether `cdk bootstrap` has run there; undefined if this AWS identity may not list buckets. */
  isBootstrapped: boolean | undefined;
}

/**
 * Finds out whether AWS accepts the credentials, and whether the region is bootstrapped.
 * @param qualifier CDK's name of the bootstrap stack's resources
 * @throws if there is no region, or there are no valid credentials, with what to do
 */
export async function readEnvironment({ s3 }: Remote, qualifier = 'hnb659fds'): Promise<Environment> {
  const prefix = `cdk-${qualifier}-assets-`;
  let names: (string | undefined)[] | undefined;
  try {
    // The account's own buckets. Other accounts may have buckets of that name.
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({ Prefix: prefix }));
    names = Buckets.map(({ Name }) => Name);
  } catch (error) {
    // AWS knows the identity, but it may not list buckets.
    if (failureOf(error) !== 'denied') throw error;
  }
  const region = await s3.config.region();
  return {
    region,
    isBootstrapped: names?.some((name) => name?.startsWith(prefix) && name.endsWith(`-${region}`)),
  };
}

/** Whether a bucket sends its events to EventBridge. */
export async function sendsEvents({ s3 }: Remote, bucket: string): Promise<boolean> {
  const { EventBridgeConfiguration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return EventBridgeConfiguration !== undefined;
}

/** Concurrent runs that Lambda keeps for functions without a reservation, unless the account has fewer. */
const MOST_UNRESERVED = 100;

/**
 * Finds out whether the account has the concurrent runs that the settings take from it. New accounts have 10, and none of them can be reserved.
 * @returns the setting that AWS would refuse; undefined if there is none, or if this AWS identity may not ask
 */
export async function findExcess(
  remote: Remote,
  { reservedConcurrency, provisionedConcurrency }: DeployedSettings,
): Promise<{ found: string; fix: string } | undefined> {
  // Provisioned instances are a part of the reserved ones.
  const [setting, wanted] =
    reservedConcurrency === 'none'
      ? (['provisionedConcurrency', provisionedConcurrency] as const)
      : (['reservedConcurrency', reservedConcurrency] as const);
  if (!(wanted > 0)) return undefined;
  const { lambda, functionName: FunctionName } = remote;
  const settings = await ifKnown(() => lambda.send(new GetAccountSettingsCommand({})));
  const { ConcurrentExecutions: all, UnreservedConcurrentExecutions: free } = settings?.AccountLimit ?? {};
  if (all === undefined || free === undefined) return undefined;
  const own = await ifKnown(() => lambda.send(new GetFunctionConcurrencyCommand({ FunctionName })));
  const available = free + (own?.ReservedConcurrentExecutions ?? 0) - Math.min(all, MOST_UNRESERVED);
  if (wanted <= available) return undefined;
  const region = await lambda.config.region();
  const off = setting === 'reservedConcurrency' ? `Set ${setting} to none` : `Remove ${setting}`;
  const change = available > 0 ? `Lower ${setting} to ${available}` : off;
  return {
    found: `${setting} is ${wanted}, but of the account's ${all} concurrent runs in ${region} only ${Math.max(0, available)} can be reserved`,
    fix: `${change} in cdk.json, or ask AWS for more: Service Quotas, AWS Lambda, Concurrent executions.`,
  };
}
