import {
  GetVectorsCommand,
  type GetVectorsCommandOutput,
  QueryVectorsCommand,
  type QueryVectorsCommandOutput,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { COMMON, describeFailure, failureOf, type Sentences } from '../../aws/describe-error.ts';
import { retried } from '../../aws/retry.ts';
import { ReadableBucket, type StoredObject, s3Client, type Wanted } from '../../aws/s3.ts';
import { Unavailable } from '../store.ts';
import type { Address } from './address.ts';

/** Keys in one call of GetVectors. */
const MOST_KEYS = 100;
/** Objects read at once. */
const MOST_READS = 32;
/** Bytes of an object that is read whole. Manifests, languages and overviews are far smaller. */
const MOST_BYTES = 64 << 20;
/** Operations that follow each other in a request, between which its time is divided. */
const OPERATIONS = 4;
/** Seconds of a request's time that are left for the rest: the model, and the answer. */
const RESERVED = 1;
/** Milliseconds in which a connection must be open. */
const CONNECTION_MS = 2000;

/** Answers of an endpoint contain these sentences, so they name no bucket: its name may contain the number of the account. */
const SENTENCES: Sentences = {
  ...COMMON,
  throttled: ({ call }) =>
    `AWS throttled ${call} at every attempt: there are too many requests. Wait some seconds, then try again.`,
  late: ({ call }) =>
    `AWS did not answer ${call} in time. Try again. If this continues, raise the timeout of the function.`,
  denied: ({ call }) =>
    `${call}: access denied. Allow s3:GetObject and s3:ListBucket on the index's bucket, and s3vectors:QueryVectors and s3vectors:GetVectors on its vector index.`,
  failing: ({ call }) => `AWS failed to answer ${call} at every attempt. Try again in a minute.`,
  unreachable: ({ call }) =>
    `${call} did not reach AWS. Check the network, and that AWS_REGION names the region of the index.`,
  'no bucket': () =>
    "The index's S3 bucket does not exist. Check the address of the index and AWS_REGION, or deploy the stack that creates the bucket.",
  'no vector index': () =>
    'The vector index does not exist. Check the address of the index and AWS_REGION, or deploy the stack that creates the vector index.',
  'no object': () =>
    'This generation of the index was deleted while it was read. Try again: the next request reads the newest one.',
};

/** A vector that a query found. */
export interface Hit {
  key: string;
  /** 1 minus the cosine. */
  distance: number;
  metadata: unknown;
}

/** A vector that was read by its key. Parts that were not requested are undefined. */
export interface StoredVector {
  key: string;
  vector: Float32Array | undefined;
  metadata: unknown;
}

/**
 * Reads vectors from S3 Vectors and objects from S3, below the address of an index. Calls throw `Unavailable` with a sentence if they
 * may succeed later. The time of each is bounded, with all its pages and attempts.
 */
export class Client {
  readonly #index: { vectorBucketName: string; indexName: string };
  readonly #limitMs: number;
  readonly #objects: ReadableBucket;
  readonly #vectors: S3VectorsClient;
  readonly #reads = new Gate(MOST_READS);

  /**
   * Makes no call.
   * @param timeout seconds that a request may take
   */
  constructor({ bucket, name }: Address, timeout: number) {
    this.#index = { vectorBucketName: bucket, indexName: name };
    this.#limitMs = (1000 * Math.max(1, timeout - RESERVED)) / OPERATIONS;
    const settings = {
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: Math.min(CONNECTION_MS, this.#limitMs / 2),
        // A request that gets no response is sent again while there is time.
        requestTimeout: this.#limitMs / 2,
        throwOnRequestTimeout: true,
      },
    };
    // Rows and whole objects have their own checksums.
    const s3 = s3Client({ ...settings, responseChecksumValidation: 'WHEN_REQUIRED' });
    this.#objects = new ReadableBucket(bucket, s3, { prefix: `${name}/`, explain });
    this.#vectors = new S3VectorsClient(settings);
  }

  /**
   * The nearest vectors with their metadata, in the order of the service. Fewer than `count` may come back.
   * @param filter of the filterable metadata, in the language of S3 Vectors
   */
  async query(vector: Float32Array, count: number, filter: object): Promise<Hit[]> {
    const hits: Hit[] = [];
    const signal = this.#deadline();
    let nextToken: string | undefined;
    do {
      const command = new QueryVectorsCommand({
        ...this.#index,
        topK: count,
        queryVector: { float32: [...vector] },
        filter: filter as Record<string, never>,
        returnMetadata: true,
        returnDistance: true,
        nextToken,
      });
      const page: QueryVectorsCommandOutput = await this.#call('s3vectors:QueryVectors', signal, () =>
        this.#vectors.send(command, { abortSignal: signal }),
      );
      for (const { key = '', distance = 1, metadata } of page.vectors ?? [])
        hits.push({ key, distance, metadata });
      nextToken = page.nextToken;
    } while (nextToken !== undefined && hits.length < count);
    return hits.slice(0, count);
  }

  /**
   * The vectors under keys, in no order. Keys without a vector are left out.
   * @param wanted what a vector's record is read for
   */
  async get(
    keys: readonly string[],
    wanted: { vector: boolean; metadata: boolean },
  ): Promise<StoredVector[]> {
    const signal = this.#deadline();
    const batches = Array.from({ length: Math.ceil(keys.length / MOST_KEYS) }, (_, i) =>
      keys.slice(i * MOST_KEYS, (i + 1) * MOST_KEYS),
    );
    const found = await Promise.all(
      batches.map(async (batch): Promise<StoredVector[]> => {
        const command = new GetVectorsCommand({
          ...this.#index,
          keys: batch,
          returnData: wanted.vector,
          returnMetadata: wanted.metadata,
        });
        const { vectors = [] }: GetVectorsCommandOutput = await this.#call(
          's3vectors:GetVectors',
          signal,
          () => this.#vectors.send(command, { abortSignal: signal }),
        );
        return vectors.map(({ key = '', data, metadata }) => ({
          key,
          vector: data?.float32 && Float32Array.from(data.float32),
          metadata,
        }));
      }),
    );
    return found.flat();
  }

  /** A whole object of the index. */
  async object(name: string): Promise<Buffer> {
    return (await this.#read(name)).bytes;
  }

  /**
   * An object of the index, unless it is known.
   * @param known the tag of the known content
   * @returns undefined if the object does not exist
   */
  async changed(name: string, known: string | undefined): Promise<StoredObject | 'same' | undefined> {
    try {
      return await this.#read(name, { unless: known });
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'unchanged') return 'same';
      if (failure === 'no object') return undefined;
      throw error;
    }
  }

  /** The bytes `[start, start + length)` of an object of the index, or fewer at its end. */
  async range(name: string, start: number, length: number): Promise<Buffer> {
    return (await this.#read(name, { range: { start, length } })).bytes;
  }

  /** Closes the connections. No call may run or follow. */
  close(): void {
    this.#objects.close();
    this.#vectors.destroy();
  }

  #read(name: string, wanted: Wanted = {}): Promise<StoredObject> {
    return this.#reads.run(() =>
      this.#objects.get(name, { ...wanted, most: MOST_BYTES, signal: this.#deadline() }),
    );
  }

  /** A signal that ends an operation which starts now, after its share of a request's time. */
  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#limitMs);
  }

  async #call<Result>(call: string, signal: AbortSignal, run: () => Promise<Result>): Promise<Result> {
    try {
      return await retried(run, { signal });
    } catch (error) {
      throw explain(error, call);
    }
  }
}

/** `Unavailable` if a later try may succeed. */
function explain(cause: unknown, call: string): Error {
  const sentence = describeFailure(cause, { call }, SENTENCES);
  return failureOf(cause) in SENTENCES
    ? new Unavailable(sentence, { cause })
    : new Error(sentence, { cause });
}

/** Runs tasks, at most a number of them at once. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most tasks that run at once */
  constructor(most: number) {
    this.#free = most;
  }

  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((start) => this.#waiting.push(start));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
