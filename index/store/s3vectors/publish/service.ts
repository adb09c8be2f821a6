import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  DeleteVectorsCommand,
  GetIndexCommand,
  GetVectorsCommand,
  type Index,
  ListVectorsCommand,
  type PutInputVector,
  PutVectorsCommand,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { s3Client } from '../../../aws/s3.ts';
import { type Address, formatAddress } from '../address.ts';
import { statusOf } from '../failures.ts';
import { Pace } from './pace.ts';
import { patiently } from './retry.ts';

/** Most keys in one call. */
export const MOST_VECTORS = 500;
export const MOST_READ = 100;
const MOST_OBJECTS = 1000;

/** Calls of S3 Vectors that run at the same time. */
export const PARALLEL = 4;

/** Milliseconds without a byte after which the SDK sends a request again. */
const IDLE_MS = 20_000;

/** The SDK would warn on standard error that it leaves it to its caller to repeat uploads of files. */
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a write requires of an object: that it has this ETag, or does not exist. */
export type Condition = { etag: string } | 'missing';

/** An object and its ETag. */
export interface Stored {
  bytes: Buffer;
  etag: string;
}

/** A vector as it is stored. */
export interface StoredVector {
  key: string;
  vector: Float32Array;
  metadata: unknown;
}

export interface ServiceOptions {
  /** Divides the time between attempts of a failed call. */
  speed?: number | undefined;
  /** Ends the wait for a further attempt. */
  signal?: AbortSignal | undefined;
}

/** The rights that a failed call needs, where they differ from its name. */
const RIGHTS: Record<string, string> = {
  's3:ListObjectsV2': 's3:ListBucket',
  's3:DeleteObjects': 's3:DeleteObject',
};

/**
 * The vectors and objects of an index in S3 Vectors, for whoever writes it. Calls wait for throttling and failures to pass, and end with
 * a sentence if they do not.
 */
export class Service {
  readonly address: Address;
  readonly #s3: S3Client;
  readonly #vectors: S3VectorsClient;
  readonly #pace = new Pace();
  readonly #options: ServiceOptions;
  /** Bytes of the vectors and objects that were sent. */
  bytesSent = 0;

  constructor(address: Address, options: ServiceOptions = {}) {
    this.address = address;
    this.#options = options;
    const settings = {
      logger: SILENT,
      retryMode: 'standard',
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 5000, socketTimeout: IDLE_MS },
    };
    this.#s3 = s3Client({
      ...settings,
      // Ranges have no checksum in S3. Rows and whole objects have their own.
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    this.#vectors = new S3VectorsClient(settings);
  }

  close(): void {
    this.#s3.destroy();
    this.#vectors.destroy();
  }

  /** The name of an object, for errors. */
  nameOf(key: string): string {
    return `s3://${this.address.bucket}/${this.address.name}/${key}`;
  }

  /** Describes the vector index. */
  async describeIndex(): Promise<Index> {
    const { index } = await this.#call('s3vectors:GetIndex', () =>
      this.#vectors.send(new GetIndexCommand(this.#index)),
    );
    return index!;
  }

  /** An object, or undefined if there is none. */
  async get(key: string): Promise<Stored | undefined> {
    try {
      return await this.#call('s3:GetObject', async () => {
        const { Body, ETag = '' } = await this.#s3.send(new GetObjectCommand(this.#object(key)));
        return { bytes: await buffer(Body as Readable), etag: ETag };
      });
    } catch (error) {
      if (error instanceof Error && error.cause instanceof Error && error.cause.name === 'NoSuchKey')
        return undefined;
      throw error;
    }
  }

  /** A part of an object, from its first byte. */
  async getRange(key: string, start: number, length: number): Promise<Buffer> {
    const Range = `bytes=${start}-${start + length - 1}`;
    return this.#call('s3:GetObject', async () => {
      const { Body } = await this.#s3.send(new GetObjectCommand({ ...this.#object(key), Range }));
      return buffer(Body as Readable);
    });
  }

  /** Writes an object. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#call('s3:PutObject', () =>
      this.#s3.send(new PutObjectCommand({ ...this.#object(key), Body: bytes })),
    );
    this.bytesSent += bytes.length;
  }

  /** Writes an object from a file, which may be too large for memory. */
  async putFile(key: string, path: string): Promise<void> {
    const { size } = statSync(path);
    await this.#call('s3:PutObject', () =>
      this.#s3.send(
        new PutObjectCommand({ ...this.#object(key), Body: createReadStream(path), ContentLength: size }),
      ),
    );
    this.bytesSent += size;
  }

  /**
   * Writes an object if a condition holds.
   * @param bytes different from those of any other writer
   * @returns its ETag, or undefined if the condition does not hold
   */
  async putIf(key: string, bytes: Uint8Array, condition: Condition): Promise<string | undefined> {
    const when = condition === 'missing' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag };
    try {
      const { ETag } = await this.#call('s3:PutObject', () =>
        this.#s3.send(new PutObjectCommand({ ...this.#object(key), ...when, Body: bytes })),
      );
      return ETag;
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const { name } = cause instanceof Error ? cause : { name: '' };
      // If-Match of a missing object answers 404.
      if (statusOf(cause) !== 412 && name !== 'NoSuchKey') throw error;
    }
    // An attempt whose answer was lost may have written it.
    const found = await this.get(key);
    return found?.bytes.equals(bytes) ? found.etag : undefined;
  }

  /** The keys of all objects that start with a prefix. */
  async list(prefix: string): Promise<string[]> {
    const below = `${this.address.name}/`;
    return this.#call('s3:ListObjectsV2', async () => {
      const keys: string[] = [];
      const input = { Bucket: this.address.bucket, Prefix: below + prefix };
      for await (const { Contents = [] } of paginateListObjectsV2({ client: this.#s3 }, input))
        keys.push(...Contents.map(({ Key }) => Key!.slice(below.length)));
      return keys;
    });
  }

  /** Deletes objects, in this order as far as a failure allows. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += MOST_OBJECTS) {
      const Objects = keys
        .slice(at, at + MOST_OBJECTS)
        .map((key) => ({ Key: `${this.address.name}/${key}` }));
      await this.#call('s3:DeleteObjects', async () => {
        const input = { Bucket: this.address.bucket, Delete: { Objects, Quiet: true } };
        const { Errors: [failed] = [] } = await this.#s3.send(new DeleteObjectsCommand(input));
        if (failed) throw new Error(`${failed.Key}: ${failed.Message ?? failed.Code}`);
      });
    }
  }

  /**
   * Writes vectors.
   * @param vectors at most `MOST_VECTORS`
   * @param bytes of the request, for `bytesSent`
   */
  async putVectors(vectors: PutInputVector[], bytes: number): Promise<void> {
    await this.#call('s3vectors:PutVectors', async () => {
      await this.#pace.take(vectors.length);
      return this.#vectors.send(new PutVectorsCommand({ ...this.#index, vectors }));
    });
    this.bytesSent += bytes;
  }

  /** Deletes at most `MOST_VECTORS` vectors. Those that do not exist are skipped. */
  async deleteVectors(keys: string[]): Promise<void> {
    await this.#call('s3vectors:DeleteVectors', async () => {
      await this.#pace.take(keys.length);
      return this.#vectors.send(new DeleteVectorsCommand({ ...this.#index, keys }));
    });
  }

  /** Reads at most `MOST_READ` vectors. Those that do not exist are missing from the result. */
  async getVectors(keys: string[]): Promise<StoredVector[]> {
    const { vectors = [] } = await this.#call('s3vectors:GetVectors', () =>
      this.#vectors.send(
        new GetVectorsCommand({ ...this.#index, keys, returnData: true, returnMetadata: true }),
      ),
    );
    return vectors.map(({ key, data, metadata }) => ({
      key: key!,
      vector: Float32Array.from(data?.float32 ?? []),
      metadata,
    }));
  }

  /** The keys of all vectors, in pages. */
  async *vectorKeys(): AsyncGenerator<string[]> {
    let nextToken: string | undefined;
    do {
      const input = { ...this.#index, maxResults: 1000, nextToken };
      const page = await this.#call('s3vectors:ListVectors', () =>
        this.#vectors.send(new ListVectorsCommand(input)),
      );
      yield (page.vectors ?? []).map(({ key = '' }) => key);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }

  get #index() {
    return { vectorBucketName: this.address.bucket, indexName: this.address.name };
  }

  #object(key: string) {
    return { Bucket: this.address.bucket, Key: `${this.address.name}/${key}` };
  }

  async #call<T>(call: string, run: () => Promise<T>): Promise<T> {
    const { speed, signal } = this.#options;
    try {
      return await patiently(run, speed, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw new Error(describe(cause, call, this.address), { cause });
    }
  }
}

/** Describes a failed call: the call, the reason and the next step. */
function describe(error: unknown, call: string, address: Address): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const place = formatAddress(address);
  const missing = (what: string) =>
    `${place}: there is no ${what}. Deploy the stack with "store": "s3vectors" first, or check the address and AWS_REGION.`;
  if (name === 'NoSuchBucket') return missing(`bucket ${address.bucket}`);
  if (name === 'NotFoundException')
    return missing(`vector bucket ${address.bucket} with a vector index ${address.name}`);
  if (name === 'AccessDenied' || name === 'AccessDeniedException')
    return `${place}: ${call} was denied. Allow ${RIGHTS[call] ?? call} for this AWS identity, or choose another with AWS_PROFILE.`;
  if (name === 'CredentialsProviderError')
    return `${place}: ${call} found no AWS credentials. Run aws configure or aws sso login, or set AWS_PROFILE.`;
  if (/^Region is missing/.test(message))
    return `${place}: ${call} needs a region. Set AWS_REGION to the region of the stack.`;
  const [line = ''] = message.split('\n');
  return `${place}: ${call} failed (${name}): ${line.replace(/\.?$/, '.')} Run the command again.`;
}
