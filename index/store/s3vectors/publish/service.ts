import { setTimeout as wait } from 'node:timers/promises';
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
import { describeError } from '../../../aws/describe-error.ts';
import { PATIENTLY, type Retry, retried } from '../../../aws/retry.ts';
import { Bucket, s3Client } from '../../../aws/s3.ts';
import { type Address, formatAddress } from '../address.ts';

/** Most vectors in one call that writes, and in one that reads. */
export const MOST_VECTORS = 500;
export const MOST_READ = 100;

/** Calls of S3 Vectors that run at the same time. */
export const PARALLEL = 4;

/** S3 Vectors accepts this many vectors, and this many requests, a second an index. */
const VECTORS_A_SECOND = 2500;
const REQUESTS_A_SECOND = 1000;

/** Milliseconds without a byte after which a request ends. */
const IDLE_MS = 20_000;

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

/** How far a publication or a download is. `uploading` starts where an unfinished publication ended. */
export interface TransferProgress {
  phase: 'comparing' | 'uploading' | 'downloading';
  unit: 'passages';
  done: number;
  total: number;
}

/** Options of everything that uploads or downloads an index. */
export interface TransferOptions extends ServiceOptions {
  progress?: (progress: TransferProgress) => void;
  /** Vectors of an upload's request, 500 at most. Smaller batches let tests interrupt small publications. Default: 500. */
  batch?: number;
}

/**
 * The vectors and objects of an index in S3 Vectors, for whoever writes it. Calls wait for throttling and failures to pass, and end with
 * a sentence if they do not.
 */
export class Service {
  readonly address: Address;
  /** The objects, below the index's name. */
  readonly objects: Bucket;
  readonly #index: { vectorBucketName: string; indexName: string };
  readonly #vectors: S3VectorsClient;
  readonly #retry: Retry;
  /** When the next write of vectors may start. */
  #next = 0;
  #vectorBytes = 0;

  constructor(address: Address, { speed, signal }: ServiceOptions = {}) {
    const settings = {
      maxAttempts: 1,
      requestHandler: { connectionTimeout: 5000, socketTimeout: IDLE_MS },
    };
    this.address = address;
    this.#retry = { pauses: PATIENTLY, speed, signal };
    this.#index = { vectorBucketName: address.bucket, indexName: address.name };
    this.#vectors = new S3VectorsClient(settings);
    // Ranges have no checksum in S3. Rows and whole objects have their own.
    const s3 = s3Client({ ...settings, responseChecksumValidation: 'WHEN_REQUIRED' });
    this.objects = new Bucket(address.bucket, s3, {
      prefix: `${address.name}/`,
      retry: this.#retry,
      explain: (error, call) => this.#explain(error, call),
    });
  }

  close(): void {
    this.objects.close();
    this.#vectors.destroy();
  }

  /** Bytes of the vectors and objects that were sent. */
  get bytesSent(): number {
    return this.#vectorBytes + this.objects.bytesSent;
  }

  /** The name of an object, for errors. */
  nameOf(key: string): string {
    return `s3://${this.address.bucket}/${this.address.name}/${key}`;
  }

  /** Describes the vector index. */
  async describeIndex(): Promise<Index> {
    const command = new GetIndexCommand(this.#index);
    const { index } = await this.#call('GetIndex', () => this.#vectors.send(command));
    return index!;
  }

  /**
   * Writes vectors.
   * @param vectors at most `MOST_VECTORS`
   * @param bytes of the request, for `bytesSent`
   */
  async putVectors(vectors: PutInputVector[], bytes: number): Promise<void> {
    await this.#call('PutVectors', async () => {
      await this.#pace(vectors.length);
      return this.#vectors.send(new PutVectorsCommand({ ...this.#index, vectors }));
    });
    this.#vectorBytes += bytes;
  }

  /** Deletes at most `MOST_VECTORS` vectors. Those that do not exist are skipped. */
  async deleteVectors(keys: string[]): Promise<void> {
    await this.#call('DeleteVectors', async () => {
      await this.#pace(keys.length);
      return this.#vectors.send(new DeleteVectorsCommand({ ...this.#index, keys }));
    });
  }

  /** Reads at most `MOST_READ` vectors. Those that do not exist are missing from the result. */
  async getVectors(keys: string[]): Promise<StoredVector[]> {
    const command = new GetVectorsCommand({ ...this.#index, keys, returnData: true, returnMetadata: true });
    const { vectors = [] } = await this.#call('GetVectors', () => this.#vectors.send(command));
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
      const command = new ListVectorsCommand({ ...this.#index, maxResults: 1000, nextToken });
      const page = await this.#call('ListVectors', () => this.#vectors.send(command));
      yield (page.vectors ?? []).map(({ key = '' }) => key);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }

  /** Waits until a write of this many vectors may start, so that writes stay below the limits of S3 Vectors. */
  async #pace(vectors: number): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#next);
    this.#next = start + Math.max((1000 * vectors) / VECTORS_A_SECOND, 1000 / REQUESTS_A_SECOND);
    if (start > now) await wait(start - now);
  }

  async #call<T>(operation: string, run: () => Promise<T>): Promise<T> {
    try {
      return await retried(run, this.#retry);
    } catch (error) {
      this.#retry.signal?.throwIfAborted();
      throw this.#explain(error, `s3vectors:${operation}`);
    }
  }

  #explain(cause: unknown, call: string): Error {
    const { bucket, name } = this.address;
    const missing = (what: string) => () =>
      `there is no ${what}. Deploy the stack with "store": "s3vectors" first, or check the address and AWS_REGION.`;
    const sentence = describeError(
      cause,
      { call, bucket },
      {
        'no bucket': missing(`bucket ${bucket}`),
        'no vector index': missing(`vector bucket ${bucket} with a vector index ${name}`),
      },
    );
    return new Error(`${formatAddress(this.address)}: ${sentence}`, { cause });
  }
}

/**
 * Runs tasks, several at once, and starts them in order. No task starts before all but the last `most` have ended. After a failure or
 * the end of `signal` it starts no other, and waits for those that run.
 * @throws the first failure, or the reason of `signal`
 */
export async function inParallel(
  tasks: Iterable<() => Promise<void>>,
  most: number,
  signal?: AbortSignal,
): Promise<void> {
  const running: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  for (const task of tasks) {
    running.push(
      task().catch((error: unknown) => {
        failure ??= { error };
      }),
    );
    if (running.length === most) await running.shift();
    if (failure || signal?.aborted) break;
  }
  await Promise.all(running);
  if (failure) throw failure.error;
  signal?.throwIfAborted();
}
