import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { s3Client } from '../../aws/s3.ts';
import { entryName } from '../../documents/archive/names.ts';
import { type ReadOptions, Unreadable } from '../../documents/file.ts';
import { limitBytes, MAX_FILE_BYTES, tooLarge } from './files.ts';
import type { Source, SourceContext, SourceFile } from './source.ts';

/** Reasons why an object could not be read this time, although another try may succeed. */
export const PASSING_REASONS = { changed: 'changed while the build ran', failed: 'download failed' } as const;

/** A listing with more objects or requests than this may have no end. */
export interface ListingLimits {
  objects: number;
  requests: number;
}

const LIMITS: ListingLimits = { objects: 1_000_000, requests: 10_000 };

/** The objects of a bucket below a prefix. Region and credentials are those of the AWS CLI. */
export class S3Source implements Source {
  readonly options: ReadOptions;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #client: S3Client;
  readonly #limits: ListingLimits;

  /**
   * @param address `s3://bucket/prefix`. The prefix is a folder, or the key of one object.
   * @throws if the address has another form
   */
  constructor(
    address: string,
    options: ReadOptions = {},
    client = s3Client({ followRegionRedirects: true }),
    limits = LIMITS,
  ) {
    const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(address) ?? [];
    if (bucket === undefined)
      throw new Error(`${address} is not an address of S3. Write s3://bucket/prefix.`);
    this.#bucket = bucket;
    this.#prefix = prefix.replace(/\/+$/, '');
    this.#client = client;
    this.#limits = limits;
    this.options = options;
  }

  /** Lists the objects by their keys. Leaves out hidden ones, as in a folder. */
  async *files({ report }: Pick<SourceContext, 'report'>): AsyncGenerator<SourceFile> {
    for await (const { Key: key = '', ETag: version, Size: bytes = 0 } of this.#objects()) {
      const below = this.#below(key);
      if (below === undefined || key.endsWith('/')) continue;
      const path = `s3://${this.#bucket}/${key}`;
      const entry = entryName(below);
      if (entry.kind === 'unsafe')
        report({ kind: 'skipped', place: path, reason: 'unsafe name', fix: 'Rename the object.' });
      if (entry.kind !== 'named') continue;
      if (bytes > MAX_FILE_BYTES) report(tooLarge(path).notice);
      else yield { source: entry.name, path, version, open: () => this.#open(key, path, version) };
    }
  }

  /** The part of a key below the prefix, or undefined for a key such as `docs2/a` with the prefix `docs`. */
  #below(key: string): string | undefined {
    if (this.#prefix === '') return key;
    if (key === this.#prefix) return key.slice(key.lastIndexOf('/') + 1);
    return key.startsWith(`${this.#prefix}/`) ? key.slice(this.#prefix.length + 1) : undefined;
  }

  async *#objects() {
    let token: string | undefined;
    let [objects, requests] = [0, 0];
    do {
      const page: ListObjectsV2CommandOutput = await this.#client
        .send(
          new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix, ContinuationToken: token }),
        )
        .catch((error) => {
          throw listingError(this.#bucket, error);
        });
      objects += page.Contents?.length ?? 0;
      if (objects > this.#limits.objects || ++requests > this.#limits.requests)
        throw new Error(
          `s3://${this.#bucket}/${this.#prefix}: too many objects. Name a prefix with at most ${this.#limits.objects}.`,
        );
      yield* page.Contents ?? [];
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async *#open(key: string, path: string, version: string | undefined): AsyncGenerator<Uint8Array> {
    try {
      const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, IfMatch: version });
      const { Body } = await this.#client.send(command);
      if (Body) yield* limitBytes(Body as AsyncIterable<Uint8Array>, path);
    } catch (error) {
      throw objectError(path, error);
    }
  }
}

function listingError(bucket: string, error: unknown): Error {
  const name = error instanceof Error ? error.name : '';
  const place = `s3://${bucket}`;
  if (name === 'NoSuchBucket') return new Error(`${place}: no such bucket. Check its name.`);
  if (name === 'CredentialsProviderError')
    return new Error(`${place}: no AWS credentials. Sign in with the AWS CLI, or set AWS_ACCESS_KEY_ID.`);
  if (name === 'AccessDenied' || (error instanceof S3ServiceException && statusOf(error) === 403))
    return new Error(`${place}: access denied. Allow s3:ListBucket and s3:GetObject to these credentials.`);
  const message = error instanceof Error ? error.message : String(error);
  if (/region is missing/i.test(message)) return new Error(`${place}: no AWS region. Set AWS_REGION.`);
  return new Error(`${place}: cannot be listed (${message || name}). Check the network and the endpoint.`);
}

function objectError(path: string, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  const name = error instanceof Error ? error.name : '';
  const status = error instanceof S3ServiceException ? statusOf(error) : undefined;
  if (name === 'InvalidObjectState')
    return new Unreadable(path, 'archived', 'Restore the object from Glacier, and build again.');
  if (status === 403)
    return new Unreadable(path, 'access denied', 'Allow s3:GetObject to these credentials.');
  if (status === 404 || status === 412) return new Unreadable(path, PASSING_REASONS.changed, 'Build again.');
  return new Unreadable(
    path,
    PASSING_REASONS.failed,
    `Build again (${error instanceof Error ? error.message : error}).`,
  );
}

function statusOf(error: S3ServiceException): number | undefined {
  return error.$metadata.httpStatusCode;
}
