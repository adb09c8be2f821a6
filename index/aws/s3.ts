import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { failureOf, ownerOf } from './describe-error.ts';
import { type Retry, retried } from './retry.ts';

/** Objects that S3 deletes in one call. */
const MOST_DELETED = 1000;

/** The SDK would warn on standard error that it leaves it to its caller to repeat uploads of files. */
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * A client for the account and region in AWS's own settings. S3 refuses its calls on a bucket that belongs to another account than the
 * bucket's name says. Makes no call.
 */
export function s3Client(settings: S3ClientConfig = {}): S3Client {
  const s3 = new S3Client({
    logger: SILENT,
    // A stand-in for AWS has one host name, not one per bucket.
    forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined,
    ...settings,
  });
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

/** The items in lists of `size`, the last of which may be shorter. */
export function* batchesOf<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

export interface StoredObject {
  bytes: Buffer;
  etag: string;
}

export interface ListedObject {
  key: string;
  bytes: number;
  modified: Date;
  etag: string | undefined;
}

/** What a write requires of an object: that it has this ETag, or does not exist. */
export type Condition = { etag: string } | 'missing';

interface BucketOptions {
  /** Start of all keys. Keys of calls and results are without it. */
  prefix?: string;
  /** How a call that starts now is repeated. Its signal ends reads. */
  retry?: () => Retry;
  /** The error for a call, such as `s3:GetObject`, that failed at every attempt. Default: the SDK's own. */
  explain?: (error: unknown, call: string) => unknown;
  /** The most bytes that `get` returns. */
  most?: number | undefined;
}

/** Which part or version of an object to read. */
export interface Wanted {
  range?: { start: number; length: number };
  /** Fails (`unchanged`) if the object still has this ETag. */
  unless?: string | undefined;
}

/** Reads the objects of a bucket. The search function uses no more than this. */
export class ReadableBucket {
  readonly name: string;
  protected readonly s3: S3Client;
  protected readonly options: BucketOptions;

  /** @param s3 should have `maxAttempts: 1`, because calls are repeated here */
  constructor(name: string, s3 = s3Client({ maxAttempts: 1 }), options: BucketOptions = {}) {
    this.name = name;
    this.s3 = s3;
    this.options = options;
  }

  /** An object, or a part of it. Throws (`no object`) if it does not exist. */
  get(key: string, { range, unless }: Wanted = {}): Promise<StoredObject> {
    const Range = range && `bytes=${range.start}-${range.start + range.length - 1}`;
    const { most = Number.POSITIVE_INFINITY } = this.options;
    return this.call('s3:GetObject', async (abortSignal) => {
      const command = new GetObjectCommand({ ...this.place(key), Range, IfNoneMatch: unless });
      const { Body, ContentLength = 0, ETag = '' } = await this.s3.send(command, { abortSignal });
      if (ContentLength > most)
        throw new Error(`${key} has ${ContentLength} bytes, but ${most} are the most that is read`);
      const { buffer, byteOffset, byteLength } = (await Body?.transformToByteArray()) ?? new Uint8Array();
      return { bytes: Buffer.from(buffer, byteOffset, byteLength), etag: ETag };
    });
  }

  /** Closes the connections. No call may run or follow. */
  close(): void {
    this.s3.destroy();
  }

  /** Runs a call, repeats it while it fails for reasons that pass, and explains its failure. */
  protected async call<T>(call: string, run: (signal?: AbortSignal) => Promise<T>): Promise<T> {
    const { retry, explain = (error) => error } = this.options;
    try {
      return await retried(run, retry?.());
    } catch (error) {
      throw explain(error, call);
    }
  }

  protected place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.name, Key: (this.options.prefix ?? '') + key };
  }
}

/** Reads and writes the objects of a bucket. */
export class Bucket extends ReadableBucket {
  bytesSent = 0;

  /** An object; undefined if there is none. */
  async find(key: string): Promise<StoredObject | undefined> {
    try {
      return await this.get(key);
    } catch (error) {
      if (failureOf(error) === 'no object') return undefined;
      throw error;
    }
  }

  /** The bytes of an object, as they arrive. Fails if it has another ETag (`unmet`), or if the response is cut. */
  async stream(key: string, etag?: string): Promise<AsyncIterable<Uint8Array>> {
    const { Body } = await this.call('s3:GetObject', () =>
      this.s3.send(new GetObjectCommand({ ...this.place(key), IfMatch: etag })),
    );
    return Body as Readable;
  }

  /** Copies an object into a file, which appears when it is complete. */
  download(key: string, path: string): Promise<void> {
    return this.call('s3:GetObject', async () => {
      const { Body } = await this.s3.send(new GetObjectCommand(this.place(key)));
      const part = `${path}.part`;
      await pipeline(Body as Readable, createWriteStream(part));
      await rename(part, path);
    });
  }

  async put(key: string, body: Uint8Array | string): Promise<void> {
    await this.#put(key, body);
  }

  /**
   * Writes an object if a condition holds.
   * @param body different from those of any other writer: after a lost response, it shows that the write succeeded
   * @returns its ETag, or undefined if the condition does not hold
   */
  async putIf(key: string, body: Uint8Array | string, condition: Condition): Promise<string | undefined> {
    try {
      return await this.#put(key, body, condition);
    } catch (error) {
      // S3 answers for a missing object that it does not exist.
      if (!['unmet', 'no object', 'conflict'].includes(failureOf(error))) throw error;
    }
    const found = await this.find(key);
    return found?.bytes.equals(Buffer.from(body)) ? found.etag : undefined;
  }

  /** Writes an object from the first bytes of a file, which may be too large for memory, and may grow meanwhile. */
  async putFile(key: string, path: string, bytes: number): Promise<void> {
    await this.call('s3:PutObject', () => {
      const Body = bytes === 0 ? '' : createReadStream(path, { end: bytes - 1 });
      return this.s3.send(new PutObjectCommand({ ...this.place(key), Body, ContentLength: bytes }));
    });
    this.bytesSent += bytes;
  }

  /** All objects whose keys have a prefix, in the order of their keys. */
  async list(prefix: string): Promise<ListedObject[]> {
    const found: ListedObject[] = [];
    for await (const page of this.pages(prefix)) found.push(...page);
    return found;
  }

  /** The same, page by page as S3 answers. */
  async *pages(prefix: string): AsyncGenerator<ListedObject[]> {
    const { Bucket, Key: Prefix } = this.place(prefix);
    const start = Prefix.length - prefix.length;
    let ContinuationToken: string | undefined;
    do {
      const input = { Bucket, Prefix, ContinuationToken };
      const page: ListObjectsV2CommandOutput = await this.call('s3:ListObjectsV2', () =>
        this.s3.send(new ListObjectsV2Command(input)),
      );
      yield (page.Contents ?? []).map(({ Key = '', Size = 0, LastModified = new Date(0), ETag }) => ({
        key: Key.slice(start),
        bytes: Size,
        modified: LastModified,
        etag: ETag,
      }));
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  /** Deletes objects, in this order as far as a failure allows. Those that do not exist are skipped. */
  async delete(keys: readonly string[]): Promise<void> {
    for (const batch of batchesOf(keys, MOST_DELETED)) {
      const Objects = batch.map((key) => ({ Key: this.place(key).Key }));
      await this.call('s3:DeleteObjects', async () => {
        const input = { Bucket: this.name, Delete: { Objects, Quiet: true } };
        const { Errors: [failed] = [] } = await this.s3.send(new DeleteObjectsCommand(input));
        if (failed)
          throw Object.assign(new Error(`${failed.Key}: ${failed.Message ?? failed.Code}`), {
            name: failed.Code ?? 'Error',
          });
      });
    }
  }

  async #put(key: string, Body: Uint8Array | string, condition?: Condition): Promise<string | undefined> {
    const when = condition && (condition === 'missing' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag });
    const { ETag } = await this.call('s3:PutObject', () =>
      this.s3.send(new PutObjectCommand({ ...this.place(key), ...when, Body })),
    );
    this.bytesSent += Buffer.byteLength(Body);
    return ETag;
  }
}
