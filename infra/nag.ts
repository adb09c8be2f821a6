import { Stack, Validations } from 'aws-cdk-lib';
import type { CfnFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Explains an exception to a rule of cdk-nag's AWS Solutions. */
export function acknowledge(construct: Construct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
}

/**
 * Explains a wildcard in a policy.
 * @param resource as cdk-nag writes it, such as `<Function.Arn>:*`
 */
export function acknowledgeWildcard(construct: Construct, resource: string, reason: string): void {
  acknowledge(construct, `IAM5[Resource::${resource}]`, reason);
}

/** Explains that a policy allows actions on all versions of a function. */
export function acknowledgeVersions(construct: Construct, fn: IFunction): void {
  const name = Stack.of(fn).getLogicalId(fn.node.defaultChild as CfnFunction);
  acknowledgeWildcard(construct, `<${name}.Arn>:*`, 'All versions of one function.');
}

/**
 * Explains that a policy allows actions on all objects of folders.
 * @param bucket a bucket of this stack, or the name of another
 * @param folders each with a final slash; empty for all objects
 */
export function acknowledgeObjects(
  construct: Construct,
  bucket: Bucket | string,
  folders: string[],
  reason: string,
): void {
  const arn =
    typeof bucket === 'string'
      ? `arn:<AWS::Partition>:s3:::${shownName(construct, bucket)}`
      : `<${Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket)}.Arn>`;
  for (const folder of folders) acknowledgeWildcard(construct, `${arn}/${folder}*`, reason);
}

/** A name as cdk-nag writes it: a reference to another resource is its id in angle brackets. */
function shownName(scope: Construct, name: string): string {
  const resolved: string | { Ref?: string } = Stack.of(scope).resolve(name);
  return typeof resolved === 'string' ? resolved : `<${resolved.Ref}>`;
}
