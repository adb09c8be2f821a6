/** How an address of an index in S3 Vectors starts. All other addresses are folders. */
const SCHEME = 's3vectors://';

/** The vector index of an address without a name. */
const DEFAULT_NAME = 'passages';

/** Names that both buckets and vector indexes may have. */
const NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Where an index is in S3 Vectors. */
export interface Address {
  /** The vector bucket, and the S3 bucket of the same name. */
  bucket: string;
  /** The vector index. Its objects in the S3 bucket are below `NAME/`. */
  name: string;
}

/** Whether the text of `--index` or a setting is an address in S3 Vectors rather than a folder. */
export function isAddress(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** Reads an address like `s3vectors://BUCKET/NAME`. Throws if a name is missing or S3 Vectors does not allow it. */
export function parseAddress(text: string): Address {
  const invalid = (problem: string) =>
    new Error(`${text} is not an address of an index: ${problem}. Write it as ${SCHEME}BUCKET/NAME.`);
  if (!isAddress(text)) throw invalid(`it does not start with ${SCHEME}`);
  const [bucket = '', name = DEFAULT_NAME, ...rest] = text.slice(SCHEME.length).replace(/\/$/, '').split('/');
  if (bucket === '') throw invalid('it has no bucket');
  if (rest.length > 0) throw invalid('the name of the vector index contains a slash');
  for (const [kind, value] of [
    ['bucket', bucket],
    ['vector index', name],
  ] as const) {
    if (!NAME.test(value))
      throw invalid(
        `the name of the ${kind} is ${JSON.stringify(value)}, but must have 3 to 63 lower-case letters, digits and inner hyphens`,
      );
  }
  return { bucket, name };
}

export function formatAddress({ bucket, name }: Address): string {
  return `${SCHEME}${bucket}/${name}`;
}
