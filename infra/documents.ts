/** Where documents are in S3. */
export interface DocumentsPlace {
  /** May be a token of CDK. */
  bucketName: string;
  /** A folder or the key of one object, without a final slash. Empty: the whole bucket. */
  prefix: string;
}

/** Reads an address `s3://bucket/prefix`, which the schema has checked. */
export function parseDocuments(address: string): DocumentsPlace {
  const [bucketName = '', ...rest] = address.slice('s3://'.length).split('/');
  return { bucketName, prefix: rest.join('/').replace(/\/+$/, '') };
}

export function documentsAddress({ bucketName, prefix }: DocumentsPlace): string {
  return `s3://${bucketName}${prefix && `/${prefix}`}`;
}
