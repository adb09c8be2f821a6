import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  GetVectorsCommand,
  type GetVectorsCommandOutput,
  QueryVectorsCommand,
  type QueryVectorsCommandOutput,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { s3Client } from '../../aws/s3.ts';
import type { Address } from './address.ts';
import { explain, statusOf } from './failures.ts';
import { Gate } from './gate.ts';

/** Attempts of each call, the first included. The SDK waits 0.05 to 1 s between them. */
const ATTEMPTS = 3;
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

/** What a vector's record is read for. */
export interface Wanted {
  vector: boolean;
  metadata: boolean;
}

/** A whole object, and the tag that changes with its content. */
export interface StoredObject {
  bytes: Buffer;
  etag: string;
}

/**
 * Reads vectors from S3 Vectors and objects from S3, below the address of an index. Calls throw `Unavailable` with a sentence if they
 * may succeed later. The time of each is bounded, with all its pages and retries.
 */
export class Client {
  readonly #address: Address;
  readonly #limitMs: number;
  readonly #s3: S3Client;
  readonly #vectors: S3VectorsClient;
  readonly #reads = new Gate(MOST_READS);

  /**
   * Makes no call.
   * @param timeout seconds that a request may take
   */
  constructor(address: Address, timeout: number) {
    this.#address = address;
    this.#limitMs = (1000 * Math.max(1, timeout - RESERVED)) / OPERATIONS;
    const settings = {
      maxAttempts: ATTEMPTS,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: Math.min(CONNECTION_MS, this.#limitMs / 2),
        // A request that gets no response is sent again while there is time.
        requestTimeout: this.#limitMs / 2,
        throwOnRequestTimeout: true,
      },
    };
    this.#s3 = s3Client({
      ...settings,
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
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
      const page: QueryVectorsCommandOutput = await this.#explained('s3vectors:QueryVectors', signal, () =>
        this.#vectors.send(command, { abortSignal: signal }),
      );
      for (const { key = '', distance = 1, metadata } of page.vectors ?? [])
        hits.push({ key, distance, metadata });
      nextToken = page.nextToken;
    } while (nextToken !== undefined && hits.length < count);
    return hits.slice(0, count);
  }

  /** The vectors under keys, in no order. Keys without a vector are left out. */
  async get(keys: readonly string[], { vector, metadata }: Wanted) {
    const batches: string[][] = [];
    const signal = this.#deadline();
    for (let at = 0; at < keys.length; at += MOST_KEYS) batches.push(keys.slice(at, at + MOST_KEYS));
    const found = await Promise.all(
      batches.map(async (batch): Promise<StoredVector[]> => {
        const command = new GetVectorsCommand({
          ...this.#index,
          keys: batch,
          returnData: vector,
          returnMetadata: metadata,
        });
        const { vectors = [] }: GetVectorsCommandOutput = await this.#explained(
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
    const { bytes } = await this.#read(name, {});
    return bytes;
  }

  /**
   * An object of the index, unless it is known.
   * @param known the tag of the known content
   * @returns undefined if the object does not exist
   */
  async changed(name: string, known: string | undefined): Promise<StoredObject | 'same' | undefined> {
    try {
      return await this.#read(name, { IfNoneMatch: known });
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (statusOf(cause) === 304) return 'same';
      if (cause instanceof Error && cause.name === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  /** The bytes `[start, start + length)` of an object of the index, or fewer at its end. */
  async range(name: string, start: number, length: number): Promise<Buffer> {
    const { bytes } = await this.#read(name, { Range: `bytes=${start}-${start + length - 1}` });
    return bytes;
  }

  /** Closes the connections. No call may run or follow. */
  close(): void {
    this.#s3.destroy();
    this.#vectors.destroy();
  }

  get #index() {
    const { bucket, name } = this.#address;
    return { vectorBucketName: bucket, indexName: name };
  }

  #read(
    name: string,
    conditions: { Range?: string; IfNoneMatch?: string | undefined },
  ): Promise<StoredObject> {
    const command = () =>
      new GetObjectCommand({
        Bucket: this.#address.bucket,
        Key: `${this.#address.name}/${name}`,
        ...conditions,
      });
    return this.#reads.run(() => {
      const signal = this.#deadline();
      return this.#explained('s3:GetObject', signal, async () => {
        for (let attempt = 1; ; attempt++) {
          const response = await this.#s3.send(command(), { abortSignal: signal });
          const { Body, ContentLength = 0, ETag = '' } = response;
          if (ContentLength > MOST_BYTES)
            throw new Error(
              `${name} has ${ContentLength} bytes, but ${MOST_BYTES} are the most that is read`,
            );
          try {
            const { buffer, byteOffset, byteLength } =
              (await Body?.transformToByteArray()) ?? new Uint8Array();
            return { bytes: Buffer.from(buffer, byteOffset, byteLength), etag: ETag };
          } catch (error) {
            // The SDK repeats a request until it has a response, but not if the connection ends within the response's body.
            if (attempt === ATTEMPTS || signal.aborted) throw error;
          }
        }
      });
    });
  }

  /** A signal that ends an operation which starts now, after its share of a request's time. */
  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#limitMs);
  }

  /** Runs a call until its deadline, and explains its failure. */
  async #explained<Result>(call: string, signal: AbortSignal, run: () => Promise<Result>): Promise<Result> {
    try {
      return await untilAborted(signal, run);
    } catch (error) {
      throw explain(error, { call, limitMs: this.#limitMs });
    }
  }
}

/** The SDK looks at the signal while it sends a request, but not while it waits before the next attempt. */
async function untilAborted<Result>(signal: AbortSignal, run: () => Promise<Result>): Promise<Result> {
  signal.throwIfAborted();
  const running = run();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([running, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Its late failure is of no interest.
    running.catch(() => {});
  }
}
