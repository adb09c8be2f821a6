import type { S3Client } from '@aws-sdk/client-s3';

/**
 * The account that a bucket must belong to, from its name: those of `cdk bootstrap` and of a stack's own bucket contain it. Everyone can
 * compute such a name, and create the bucket first in another account.
 * @returns undefined for another name
 */
export function ownerOf(bucket: string): string | undefined {
  return /^(?:cdk|polyseek)-.+-(\d{12})-[a-z]+(?:-[a-z]+)+-\d$/.exec(bucket)?.[1];
}

/** Makes S3 refuse each call on a bucket that belongs to another account than its name says. */
export function withOwner(s3: S3Client): S3Client {
  s3.middlewareStack.add(
    (next) => (args) => {
      const bucket: unknown = Reflect.get(args.input, 'Bucket');
      if (typeof bucket !== 'string') return next(args);
      return next({ ...args, input: { ...args.input, ExpectedBucketOwner: ownerOf(bucket) } });
    },
    { step: 'initialize' },
  );
  return s3;
}
