import { ListBucketsCommand } from '@aws-sdk/client-s3';
import type { Remote } from './connect.ts';

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
    const { cause } = error as Error;
    // AWS knows the identity, but it may not list buckets.
    if (!(cause instanceof Error && cause.name === 'AccessDenied')) throw error;
  }
  const region = await s3.config.region();
  return {
    region,
    isBootstrapped: names?.some((name) => name?.startsWith(prefix) && name.endsWith(`-${region}`)),
  };
}
