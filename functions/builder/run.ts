import { join } from 'node:path';
import type { Bucket } from '../../index/aws/s3.ts';
import { OutOfTime } from '../../index/ingest/reading/read-sources.ts';
import type { Source } from '../../index/ingest/sources/source.ts';
import type { Remote } from '../deployed/connect.ts';
import { writeEntry } from '../search/log.ts';
import { type BuildRecord, Builds } from './builds.ts';
import { CacheSync } from './cache-sync.ts';
import type { Lock } from './lock.ts';

/** What a builder works with in all its runs. */
export interface Builder {
  /** Name of its Lambda function. */
  name: string;
  /** Its memory, in MB. */
  memory: number;
  /** The search function. */
  remote: Remote;
  /** The stack's own bucket. */
  bucket: Bucket;
  documents: Source;
  /** Address of the documents, for messages. */
  address: string;
  /** `bundle`, or the address of an index in S3 Vectors. */
  store: string;
  /** Versions of the search function that are kept. */
  keep: number;
  /** Folder of the search function without an index. Its model embeds the documents. */
  functionFolder: string;
  /** A folder that may be lost, or full of what an earlier run left. */
  work: string;
}

/** What Lambda tells of an invocation. */
export interface Context {
  awsRequestId: string;
  getRemainingTimeInMillis: () => number;
}

export function log(level: 'INFO' | 'ERROR', fields: object): void {
  writeEntry({ timestamp: new Date().toISOString(), level, ...fields });
}

/** A run of a builder: what one invocation does for a build. */
export class Run {
  readonly builder: Builder;
  readonly builds: Builds;
  /** What is known of the build. */
  readonly record: BuildRecord;
  readonly lock: Lock;
  readonly deadline: Deadline;
  readonly cache: CacheSync;
  /** Whether it uploaded rows to S3 Vectors. */
  uploaded = false;
  readonly #requestId: string;

  constructor(
    builder: Builder,
    { id, cause }: Pick<BuildRecord, 'id' | 'cause'>,
    { awsRequestId, getRemainingTimeInMillis }: Context,
    lock: Lock,
  ) {
    this.builder = builder;
    this.builds = new Builds(builder.bucket);
    this.record = { id, started: new Date().toISOString(), status: 'running', cause, notices: [] };
    this.lock = lock;
    this.deadline = new Deadline(getRemainingTimeInMillis, builder.memory);
    this.cache = new CacheSync(builder.bucket, join(builder.work, 'cache'));
    this.#requestId = awsRequestId;
  }

  /** Aborted when the build must stop: its time is up, or its lock is lost. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.deadline.signal, this.lock.signal]);
  }

  /** Saves the cache and the record, for the next run and for those who watch. */
  async save(): Promise<void> {
    await this.cache.save();
    await this.builds.write(this.record);
  }

  log(level: 'INFO' | 'ERROR', fields: object): void {
    log(level, { requestId: this.#requestId, build: this.record.id, ...fields });
  }
}

/** The time of a run is used up, except for what publishing needs. */
export class TimeIsUp extends OutOfTime {
  constructor() {
    super('The time of this invocation is over. Another one continues the build.');
  }
}

/** Milliseconds to write, package and publish the smallest index: mostly waiting for Lambda and for cold starts. */
const BASE_MS = 90_000;
/** Bytes of a function that one CPU zips and uploads in a millisecond. */
const BYTES_PER_MS = 5000;
/** Megabytes of memory that give a Lambda function one CPU. */
const ONE_CPU = 1769;

/** Stops a build while there is still time to publish what it has, or to save it. */
class Deadline {
  /** Aborted with `TimeIsUp` when the time has come. */
  readonly signal: AbortSignal;
  readonly #remaining: () => number;
  readonly #speed: number;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param remaining milliseconds until Lambda ends the invocation
   * @param memory of the builder, in MB, on which the speed of its CPU depends
   */
  constructor(remaining: () => number, memory: number) {
    this.#remaining = remaining;
    this.#speed = BYTES_PER_MS * Math.min(1, memory / ONE_CPU);
    this.signal = this.#over.signal;
  }

  /** Keeps the time that a function of this size needs to be packaged and published. */
  reserve(bytes: number): void {
    clearTimeout(this.#timer);
    const left = this.#remaining() - BASE_MS - bytes / this.#speed;
    if (left <= 0) this.#over.abort(new TimeIsUp());
    else this.#timer = setTimeout(() => this.#over.abort(new TimeIsUp()), left);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
