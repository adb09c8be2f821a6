import { randomUUID } from 'node:crypto';
import type { Bucket } from './s3.ts';

/** Milliseconds that a lease lasts after each renewal. Zipping a large function blocks the process for up to 30 seconds. */
const LEASE = 60_000;
const RENEWAL = 15_000;
/** Milliseconds that a lease is kept for the process that goes on. */
const HAND_OVER = 120_000;
/** Most milliseconds that are left of a lease, with clocks that differ by a minute. More is left only if a clock was wrong. */
const MOST_LEFT = HAND_OVER + 60_000;
/** Attempts to take a lease that others change at the same time. */
const ATTEMPTS = 5;

export type LeaseBucket = Pick<Bucket, 'find' | 'putIf'>;

/** What the object of a lease contains. */
export interface Holder<State> {
  state: State;
  /** Random digits of the process that has it; null while the work is handed over to another. */
  token: string | null;
  /** When others may take it, in milliseconds since 1970. */
  expires: number;
}

/** A kind of lease: its object, and how that is written. */
export interface LeaseKind<State> {
  key: string;
  /** @throws if another version of polyseek wrote it */
  read: (text: string) => Holder<State>;
  write: (holder: Holder<State>) => string;
  /** The error of a process that lost its lease: because it could not be renewed (`cause`), or because another process took it. */
  lost: (cause?: unknown) => Error;
}

/** A lease that was found, and how many milliseconds are left of it: 0 if it has ended. */
export interface Found<State> extends Holder<State> {
  left: number;
}

/**
 * Lets one process at a time work: an object in a bucket, written with conditions, with a state that its owner records there and renews.
 * A lease that has ended is taken over. Nothing relies on clocks: an owner that lost its lease without noticing cannot write it again.
 */
export class Lease<State> {
  /** The state that was recorded last. */
  state: State;
  readonly #bucket: LeaseBucket;
  readonly #kind: LeaseKind<State>;
  readonly #token: string;
  #etag: string;
  #expires: number;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Writes follow each other, as each needs the ETag of the one before. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    bucket: LeaseBucket,
    kind: LeaseKind<State>,
    { state, token, expires }: Holder<State> & { token: string },
    etag: string,
  ) {
    this.#bucket = bucket;
    this.#kind = kind;
    this.state = state;
    this.#token = token;
    this.#expires = expires;
    this.#etag = etag;
    // A failed renewal is tried again, until the lease ends.
    this.#timer = setInterval(() => this.renew().catch(() => {}), RENEWAL).unref();
  }

  /**
   * Takes a lease.
   * @param claim is given the lease that is there, if any, and returns the state to record, or undefined to leave it to its owner
   * @returns undefined if `claim` said so, or if too many others try the same
   */
  static async take<State>(
    bucket: LeaseBucket,
    kind: LeaseKind<State>,
    claim: (found: Found<State> | undefined) => State | undefined,
  ): Promise<Lease<State> | undefined> {
    const token = randomUUID();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = await bucket.find(kind.key);
      const found = stored && kind.read(stored.bytes.toString());
      const left = found ? found.expires - Date.now() : 0;
      // An unreadable time has ended too.
      const state = claim(found && { ...found, left: left > 0 && left <= MOST_LEFT ? left : 0 });
      if (state === undefined) return undefined;
      const holder = { state, token, expires: Date.now() + LEASE };
      const condition = stored ? { etag: stored.etag } : 'missing';
      const etag = await bucket.putIf(kind.key, kind.write(holder), condition);
      if (etag) return new Lease(bucket, kind, holder, etag);
    }
    return undefined;
  }

  /** Aborted when the lease is lost, with the error as its reason. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Renews the lease, and records a state. Throws the error of its kind if the lease is lost. */
  renew(state: State = this.state): Promise<void> {
    this.state = state;
    return this.#write(this.#token, LEASE);
  }

  /** Frees the lease. A lost one stays with its new owner. */
  release(state: State = this.state): Promise<void> {
    this.state = state;
    return this.#end(this.#token, 0);
  }

  /** Keeps the lease for the process that goes on. */
  handOver(): Promise<void> {
    return this.#end(null, HAND_OVER);
  }

  /** Stops renewing, so that the lease ends and the next process takes over. */
  abandon(): void {
    clearInterval(this.#timer);
  }

  async #end(token: string | null, lease: number): Promise<void> {
    this.abandon();
    if (!this.signal.aborted) await this.#write(token, lease);
  }

  #write(token: string | null, lease: number): Promise<void> {
    const written = this.#last.then(async () => {
      this.signal.throwIfAborted();
      const holder = { state: this.state, token, expires: Date.now() + lease };
      let failure: unknown;
      const etag = await this.#bucket
        .putIf(this.#kind.key, this.#kind.write(holder), { etag: this.#etag })
        .catch((error: unknown) => {
          if (Date.now() < this.#expires) throw error;
          failure = error;
        });
      if (!etag) throw this.#lose(this.#kind.lost(failure));
      this.#etag = etag;
      this.#expires = holder.expires;
    });
    this.#last = written.catch(() => {});
    return written;
  }

  #lose(error: Error): Error {
    clearInterval(this.#timer);
    this.#lost.abort(error);
    return error;
  }
}
