import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** A condition for S3, as the name of a bucket does not say whose it is, and names of a stack's buckets can be computed by everyone. */
export function inOwnAccount(scope: Construct): { StringEquals: Record<string, string> } {
  return { StringEquals: { 'aws:ResourceAccount': Stack.of(scope).account } };
}
