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
