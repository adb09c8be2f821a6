import {
  GetVectorsCommand,
  QueryVectorsCommand,
  type QueryVectorsCommandOutput,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { COMMON, describeFailure, failureOf, type Sentences } from '../../aws/describe-error.ts';
import { type Retry, retried } from '../../aws/retry.ts';
import { batchesOf, ReadableBucket, type StoredObject, s3Client, type Wanted } from '../../aws/s3.ts';
import { Unavailable } from '../store.ts';
import type { Address } from './address.ts';

/** Keys in one call of GetVectors. */
export const MOST_KEYS = 100;

/** A vector that a query found. */
interface Hit {
  key: string;
  /** 1 minus the cosine. */
  distance: number;
  metadata: unknown;
}

/** A vector that was read by its key. */
interface StoredVector {
  key: string;
  /** Undefined if it was not requested. */
  vector: Float32Array | undefined;
  metadata: unknown;
}

type OpenBucket<Objects> = new (...parts: ConstructorParameters<typeof ReadableBucket>) => Objects;

/** Reads the vectors and objects of an index in S3 Vectors, for searches or for whoever writes it. */
export abstract class Client<Objects extends ReadableBucket = ReadableBucket> {
  readonly address: Address;
  /** The objects, below the index's name. */
  readonly objects: Objects;
  protected readonly index: { vectorBucketName: string; indexName: string };
  protected readonly vectors: S3VectorsClient;

  /**
   * Makes no call.
   * @param timeouts of requests, as the SDK's handler takes them
   * @param most bytes of an object that is read
   */
  constructor(address: Address, timeouts: object, Objects: OpenBucket<Objects>, most?: number) {
    this.address = address;
    this.index = { vectorBucketName: address.bucket, indexName: address.name };
    this.vectors = new S3VectorsClient({ maxAttempts: 1, requestHandler: timeouts });
    const s3 = s3Client({
      maxAttempts: 1,
      requestHandler: timeouts,
      // Ranges have no checksum in S3. Rows and whole objects have their own.
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    this.objects = new Objects(address.bucket, s3, {
      prefix: `${address.name}/`,
      retry: () => this.retry(),
      explain: (error, call) => this.explain(error, call),
      most,
    });
  }

  /** How a call that starts now is repeated. */
  protected abstract retry(): Retry;

  /** The error for a call that failed at every attempt. */
  protected abstract explain(cause: unknown, call: string): unknown;

  /** The name of an object, for errors. */
  nameOf(key: string): string {
    return `s3://${this.address.bucket}/${this.address.name}/${key}`;
  }

  /** A whole object of the index. */
  async read(key: string): Promise<Buffer> {
    return (await this.objects.get(key)).bytes;
  }

  /** The vectors under keys with their metadata, in no order. Keys without a vector are left out. */
  async get(keys: readonly string[], returnData: boolean): Promise<StoredVector[]> {
    const retry = this.retry();
    const found = await Promise.all(
      Array.from(batchesOf(keys, MOST_KEYS), async (keys) => {
        const command = new GetVectorsCommand({ ...this.index, keys, returnData, returnMetadata: true });
        const send = (abortSignal?: AbortSignal) => this.vectors.send(command, { abortSignal });
        const { vectors = [] } = await this.call('GetVectors', send, retry);
        return vectors;
      }),
    );
    return found.flat().map(({ key = '', data, metadata }) => ({
      key,
      vector: data?.float32 && Float32Array.from(data.float32),
      metadata,
    }));
  }

  /** Closes the connections. No call may run or follow. */
  close(): void {
    this.objects.close();
    this.vectors.destroy();
  }

  /** Runs a call of S3 Vectors, repeats it while it fails for reasons that pass, and explains its failure. */
  protected async call<T>(
    operation: string,
    run: (signal?: AbortSignal) => Promise<T>,
    retry = this.retry(),
  ): Promise<T> {
    try {
      return await retried(run, retry);
    } catch (error) {
      throw this.explain(error, `s3vectors:${operation}`);
    }
  }
}

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

/** Reads some objects at once. The time of the others does not run yet. */
class QueuedBucket extends ReadableBucket {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  override async get(key: string, wanted?: Wanted): Promise<StoredObject> {
    while (this.#running >= MOST_READS) await new Promise<void>((go) => this.#waiting.push(go));
    this.#running++;
    try {
      return await super.get(key, wanted);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

/**
 * Reads an index for questions. Calls throw `Unavailable` with a sentence if they may succeed later. The time of each is bounded, with
 * all its pages and attempts.
 */
export class SearchClient extends Client {
  readonly #limitMs: number;

  /** @param timeout seconds that a request may take */
  constructor(address: Address, timeout: number) {
    const limitMs = (1000 * Math.max(1, timeout - RESERVED)) / OPERATIONS;
    const timeouts = {
      connectionTimeout: Math.min(CONNECTION_MS, limitMs / 2),
      // A request that gets no response is sent again while there is time.
      requestTimeout: limitMs / 2,
      throwOnRequestTimeout: true,
    };
    super(address, timeouts, QueuedBucket, MOST_BYTES);
    this.#limitMs = limitMs;
  }

  /**
   * The nearest vectors with their metadata, in the order of the service. Fewer than `count` may come back.
   * @param filter of the filterable metadata, in the language of S3 Vectors
   */
  async query(vector: Float32Array, count: number, filter: object): Promise<Hit[]> {
    const hits: Hit[] = [];
    const retry = this.retry();
    let nextToken: string | undefined;
    do {
      const command = new QueryVectorsCommand({
        ...this.index,
        topK: count,
        queryVector: { float32: [...vector] },
        filter: filter as Record<string, never>,
        returnMetadata: true,
        returnDistance: true,
        nextToken,
      });
      const send = (abortSignal?: AbortSignal) => this.vectors.send(command, { abortSignal });
      const page: QueryVectorsCommandOutput = await this.call('QueryVectors', send, retry);
      for (const { key = '', distance = 1, metadata } of page.vectors ?? [])
        hits.push({ key, distance, metadata });
      nextToken = page.nextToken;
    } while (nextToken !== undefined && hits.length < count);
    return hits.slice(0, count);
  }

  protected retry(): Retry {
    return { signal: AbortSignal.timeout(this.#limitMs) };
  }

  protected explain(cause: unknown, call: string): Error {
    const sentence = describeFailure(cause, { call }, SENTENCES);
    return failureOf(cause) in SENTENCES
      ? new Unavailable(sentence, { cause })
      : new Error(sentence, { cause });
  }
}
