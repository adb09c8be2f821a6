import { setTimeout as wait } from 'node:timers/promises';
import {
  DeleteVectorsCommand,
  GetIndexCommand,
  type Index,
  ListVectorsCommand,
  type PutInputVector,
  PutVectorsCommand,
} from '@aws-sdk/client-s3vectors';
import { describeError } from '../../../aws/describe-error.ts';
import { PATIENTLY, type Retry } from '../../../aws/retry.ts';
import { Bucket } from '../../../aws/s3.ts';
import { type Address, formatAddress } from '../address.ts';
import { Client } from '../client.ts';
import { damagedInS3 } from '../objects.ts';

/** Most vectors in one call that writes. */
export const MOST_VECTORS = 500;

/** Calls of S3 Vectors that run at the same time. */
export const PARALLEL = 4;

/** S3 Vectors accepts this many vectors, and this many requests, a second an index. */
const VECTORS_A_SECOND = 2500;
const REQUESTS_A_SECOND = 1000;

/** Milliseconds: the second without a byte, after which a request ends. */
const TIMEOUTS = { connectionTimeout: 5000, socketTimeout: 20_000 };

interface ServiceOptions {
  /** Divides the time between attempts of a failed call. */
  speed?: number | undefined;
  /** Ends reads, and the wait for a further attempt. */
  signal?: AbortSignal | undefined;
}

/** Options of everything that uploads or downloads an index. */
export interface TransferOptions extends ServiceOptions {
  /** How far it is. `uploading` starts where an unfinished publication ended. */
  progress?: (progress: {
    phase: 'comparing' | 'uploading' | 'downloading';
    unit: 'passages';
    done: number;
    total: number;
  }) => void;
  /** Vectors of an upload's request, 500 at most. Smaller batches let tests interrupt small publications. Default: 500. */
  batch?: number;
}

/** Uses the service for an index, and closes its connections. */
export async function withService<T>(
  address: Address,
  options: ServiceOptions,
  run: (service: Service) => Promise<T>,
): Promise<T> {
  const service = new Service(address, options);
  try {
    return await run(service);
  } finally {
    service.close();
  }
}

/**
 * The vectors and objects of an index in S3 Vectors, for whoever writes it. Calls wait for throttling and failures to pass, and end with
 * a sentence if they do not.
 */
export class Service extends Client<Bucket> {
  readonly #retry: Retry;
  /** When the next write of vectors may start. */
  #next = 0;
  #vectorBytes = 0;

  constructor(address: Address, { speed, signal }: ServiceOptions = {}) {
    super(address, TIMEOUTS, Bucket);
    this.#retry = { pauses: PATIENTLY, speed, signal };
  }

  /** Bytes of the vectors and objects that were sent. */
  get bytesSent(): number {
    return this.#vectorBytes + this.objects.bytesSent;
  }

  override async read(key: string): Promise<Buffer> {
    const stored = await this.objects.find(key);
    if (!stored) throw damagedInS3(this.nameOf(key), 'it is missing');
    return stored.bytes;
  }

  async describeIndex(): Promise<Index> {
    const command = new GetIndexCommand(this.index);
    const { index } = await this.call('GetIndex', () => this.vectors.send(command));
    return index!;
  }

  /** Writes at most `MOST_VECTORS` vectors. Their bytes in the request are for `bytesSent`. */
  async putVectors(vectors: PutInputVector[], bytes: number): Promise<void> {
    await this.call('PutVectors', async () => {
      await this.#pace(vectors.length);
      return this.vectors.send(new PutVectorsCommand({ ...this.index, vectors }));
    });
    this.#vectorBytes += bytes;
  }

  /** Deletes at most `MOST_VECTORS` vectors. Those that do not exist are skipped. */
  async deleteVectors(keys: string[]): Promise<void> {
    await this.call('DeleteVectors', async () => {
      await this.#pace(keys.length);
      return this.vectors.send(new DeleteVectorsCommand({ ...this.index, keys }));
    });
  }

  /** The keys of all vectors, in pages. */
  async *vectorKeys(): AsyncGenerator<string[]> {
    let nextToken: string | undefined;
    do {
      const command = new ListVectorsCommand({ ...this.index, maxResults: 1000, nextToken });
      const page = await this.call('ListVectors', () => this.vectors.send(command));
      yield (page.vectors ?? []).map(({ key = '' }) => key);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }

  protected retry(): Retry {
    return this.#retry;
  }

  protected explain(cause: unknown, call: string): Error {
    this.#retry.signal?.throwIfAborted();
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

  /** Waits until a write of this many vectors may start, so that writes stay below the limits of S3 Vectors. */
  async #pace(vectors: number): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#next);
    this.#next = start + Math.max((1000 * vectors) / VECTORS_A_SECOND, 1000 / REQUESTS_A_SECOND);
    if (start > now) await wait(start - now);
  }
}

/**
 * Runs a task for each item, `PARALLEL` at once, and starts them in order. No task starts before all but the last `PARALLEL` have ended.
 * After a failure or the end of `signal` it starts no other, and waits for those that run.
 * @throws the first failure, or the reason of `signal`
 */
export async function inParallel<Item>(
  items: Iterable<Item>,
  task: (item: Item) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const running: Promise<void>[] = [];
  const failures: unknown[] = [];
  for (const item of items) {
    running.push(task(item).catch((error: unknown) => void failures.push(error)));
    if (running.length === PARALLEL) await running.shift();
    if (failures.length > 0 || signal?.aborted) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
