import { createHash } from 'node:crypto';
import { Names } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Longest name of a bucket, in S3 and in S3 Vectors. */
const MAX_BUCKET = 63;
/** Length reserved for account and region: 12 digits and up to 14 characters, such as ap-southeast-1, each after a hyphen. */
const PLACE = 28;
const START = 'polyseek-';

/** Name of a stack's vector index, and its folder in the bucket of the stack. */
export const VECTOR_INDEX = 'passages';

/** Folders of the stack's own bucket. `UPLOADS` and `VECTOR_INDEX` are others. */
export const DOCUMENTS_FOLDER = 'documents/';
/** The builder's lock, cache and records. */
export const BUILDER_FOLDER = 'builder/';

/** A name for resources of a construct whose function has no name yet, at most 48 characters. */
export function generatedName(construct: IConstruct): string {
  return Names.uniqueResourceName(construct, { maxLength: 48, separator: '-' });
}

/**
 * Name of a stack's own bucket, and of its vector bucket: at most 63 lower-case letters, digits and hyphens. Long names of functions are
 * cut, and end with a hash.
 * @param account and
 * @param region may be tokens of CDK
 */
export function bucketName(functionName: string, account: string, region: string): string {
  const name = functionName.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const space = MAX_BUCKET - START.length - PLACE;
  const hash = createHash('sha256').update(functionName).digest('hex').slice(0, 8);
  // A changed name gets a hash too, as other functions may have the same changed name.
  const isKept = name === functionName && name.length <= space;
  const own = isKept ? name : `${name.slice(0, space - hash.length - 1)}-${hash}`;
  return `${START}${own}-${account}-${region}`;
}
