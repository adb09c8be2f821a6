import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/**
 * What the builder (functions/builder) calls. Its role needs these actions on these resources, and no others. The tests of the builder
 * compare every call with this list.
 */
export const BUILDER_ACTIONS = {
  /** On the search function and its versions (`ARN` and `ARN:*`), to publish as `npx polyseek push` does. Only for the bundle. */
  searchFunction: [
    'lambda:GetAlias',
    'lambda:GetFunction',
    'lambda:GetFunctionConfiguration',
    'lambda:InvokeFunction',
    'lambda:ListAliases',
    'lambda:ListVersionsByFunction',
    'lambda:PublishVersion',
    'lambda:UpdateAlias',
    'lambda:UpdateFunctionCode',
  ],
  /** On the versions of the search function (`ARN:*`) only: without its own ARN, nobody can delete the function. Only for the bundle. */
  searchVersions: ['lambda:DeleteFunction'],
  /** On the builder itself (its ARN without a version), to continue a long build. */
  itself: ['lambda:InvokeFunction'],
  /**
   * On the objects below `builder/` and `polyseek/` of the stack's bucket. `UpdateFunctionCode` reads uploads with the caller's rights.
   */
  ownObjects: ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
  /** On the stack's bucket, without a condition on the prefix: else S3 answers 403 instead of 404 for a missing object. */
  ownBucket: ['s3:ListBucket'],
  /** On the documents: the objects `PREFIX` and `PREFIX/*`. */
  documents: ['s3:GetObject'],
  /** On the bucket of the documents. A condition on `s3:prefix` must allow `PREFIX`, as the source lists without a final slash. */
  documentsBucket: ['s3:ListBucket'],
} as const;

export function allow(actions: readonly string[], ...resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources });
}

/**
 * Allows actions on resources in S3 of the stack's own account: the name of a bucket does not say whose it is, and everyone can compute the
 * names of a stack's buckets.
 */
export function allowOwn(scope: Construct, actions: readonly string[], resources: string[]): PolicyStatement {
  const conditions = { StringEquals: { 'aws:ResourceAccount': Stack.of(scope).account } };
  return new PolicyStatement({ actions: [...actions], resources, conditions });
}

/** Allows publishing, testing and deleting versions of a function, and moving its alias. `npx polyseek push` and the builder do that. */
export function functionStatements({ functionArn }: IFunction): PolicyStatement[] {
  const versions = `${functionArn}:*`;
  return [
    allow(BUILDER_ACTIONS.searchFunction, functionArn, versions),
    // Only versions: without the function's own ARN, nobody can delete the function.
    allow(BUILDER_ACTIONS.searchVersions, versions),
  ];
}

export function bucketArn(scope: Construct, resource: string): string {
  return Stack.of(scope).formatArn({ service: 's3', region: '', account: '', resource });
}

/** Explains an exception to a rule of cdk-nag's AWS Solutions. */
export function acknowledge(construct: Construct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
}

/** Explains that a policy allows actions on all versions of a function. */
export function acknowledgeVersions(construct: Construct, fn: IFunction): void {
  const name = Stack.of(fn).getLogicalId(fn.node.defaultChild as CfnFunction);
  acknowledge(construct, `IAM5[Resource::<${name}.Arn>:*]`, 'All versions of one function.');
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
  for (const folder of folders) acknowledge(construct, `IAM5[Resource::${arn}/${folder}*]`, reason);
}

/** A name as cdk-nag writes it: a reference to another resource is its id in angle brackets. */
function shownName(scope: Construct, name: string): string {
  const resolved: string | { Ref?: string } = Stack.of(scope).resolve(name);
  return typeof resolved === 'string' ? resolved : `<${resolved.Ref}>`;
}
