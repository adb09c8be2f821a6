import { randomUUID } from 'node:crypto';
import { type Bucket, type Condition, otherFormat } from './bucket.ts';

export const LOCK = 'builder/lock.json';

/** Increased when older builders would misread the lock. */
const FORMAT = 1;

/** How long a lock is valid after each renewal, in ms. Zipping a large function blocks the process for up to 30 seconds. */
const LEASE = 60_000;
const RENEWAL = 15_000;
/** How long a lock is kept for the invocation that continues a build, in ms. */
const HAND_OVER = 120_000;
/** Most milliseconds that are left of a lock, with clocks that differ by a minute. More is left only if a clock was wrong. */
const MOST_LEFT = HAND_OVER + 60_000;
/** Attempts to take a lock that others change at the same time. */
const ATTEMPTS = 5;

/** Content of the lock. */
interface Holder {
  /** The build that holds it; null if it is free. */
  build: string | null;
  /** The process; null while the build is handed over to its next invocation. */
  owner: string | null;
  /** When others may take it, in ISO 8601. */
  expires: string;
}

/** The lock belongs to another build now, or may belong to it. */
export class LockLost extends Error {
  constructor(reason: string) {
    super(`This build lost its lock (${reason}), so it published nothing. The next build publishes.`);
  }
}

/** An attempt to take the lock. */
export type Attempt =
  | {
      lock: Lock;
      /** The build that held the lock, and ended without releasing it. */
      died?: string | undefined;
    }
  /** The build that holds it; undefined if several builds compete for it. */
  | { lock?: undefined; heldBy: string | undefined };

/**
 * Lets one build run at a time: an object in the bucket, written with conditions, with a lease that its owner renews. A lock whose
 * lease has ended is taken over. Nothing relies on clocks: an owner that lost its lock without noticing cannot write it again.
 */
export class Lock {
  readonly #bucket: Bucket;
  readonly #build: string;
  readonly #owner: string;
  #etag: string;
  #expires: number;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Writes follow each other, as each needs the ETag of the one before. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(bucket: Bucket, build: string, owner: string, etag: string, expires: number) {
    this.#bucket = bucket;
    this.#build = build;
    this.#owner = owner;
    this.#etag = etag;
    this.#expires = expires;
    // A failed renewal is tried again, until the lease ends.
    this.#timer = setInterval(() => this.confirm().catch(() => {}), RENEWAL);
  }

  /** Takes the lock for a build, unless another build holds it. A build takes over what its earlier invocation handed over. */
  static async take(bucket: Bucket, build: string): Promise<Attempt> {
    const owner = randomUUID();
    let died: string | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const expires = Date.now() + LEASE;
      const write = (condition: Condition) =>
        bucket.write(LOCK, contentOf({ build, owner, expires }), condition);
      const created = await write({ ifNoneMatch: '*' });
      if (created) return { lock: new Lock(bucket, build, owner, created, expires) };
      const found = await bucket.read(LOCK);
      if (!found) continue;
      const holder = parse(found.text);
      // The write succeeded, but its response was lost, and the SDK repeated it.
      if (holder.owner === owner)
        return { lock: new Lock(bucket, build, owner, found.etag, Date.parse(holder.expires)), died };
      const isHandedOver = holder.build === build && holder.owner === null;
      if (holder.build !== null && !isHandedOver) {
        const left = Date.parse(holder.expires) - Date.now();
        if (left > 0 && left <= MOST_LEFT) return { heldBy: holder.build };
        died = holder.build;
      }
      const etag = await write({ ifMatch: found.etag });
      if (etag) return { lock: new Lock(bucket, build, owner, etag, expires), died };
    }
    return { heldBy: undefined };
  }

  /** Aborted when the lock is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Renews the lease.
   * @throws LockLost if another build has the lock
   */
  confirm(): Promise<void> {
    return this.#inTurn(() => this.#write(this.#build, this.#owner, LEASE));
  }

  /** Frees the lock. A lost lock stays with its new owner. */
  release(): Promise<void> {
    return this.#end(() => this.#write(null, null, 0));
  }

  /** Keeps the lock for the next invocation of the same build. */
  handOver(): Promise<void> {
    return this.#end(() => this.#write(this.#build, null, HAND_OVER));
  }

  /** Stops renewing, so that the lease ends and the next build takes over. */
  abandon(): Promise<void> {
    return this.#end(() => Promise.resolve());
  }

  async #end(run: () => Promise<void>): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#lost.signal.aborted) await this.#inTurn(run);
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  async #write(build: string | null, owner: string | null, lease: number): Promise<void> {
    this.#lost.signal.throwIfAborted();
    const expires = Date.now() + lease;
    const content = contentOf({ build, owner, expires });
    try {
      const etag = await this.#bucket.write(LOCK, content, { ifMatch: this.#etag });
      if (etag) this.#etag = etag;
      else await this.#adopt(content);
      this.#expires = expires;
    } catch (error) {
      if (error instanceof LockLost || Date.now() < this.#expires) throw error;
      throw this.#lose('it could not be renewed');
    }
  }

  /** After a refused write: accepts the object if it has the content to write, because a lost response made the SDK write twice. */
  async #adopt(content: string): Promise<void> {
    const found = await this.#bucket.read(LOCK);
    if (found?.text !== content) throw this.#lose('another build took it');
    this.#etag = found.etag;
  }

  #lose(reason: string): LockLost {
    clearInterval(this.#timer);
    const error = new LockLost(reason);
    this.#lost.abort(error);
    return error;
  }
}

function contentOf({ build, owner, expires }: Omit<Holder, 'expires'> & { expires: number }): string {
  const holder: Holder = { build, owner, expires: new Date(expires).toISOString() };
  return JSON.stringify({ format: FORMAT, ...holder });
}

/**
 * A lock that is not readable is free: only a bug or a person writes one.
 * @throws if another version of polyseek wrote it
 */
function parse(text: string): Holder {
  const free = { format: FORMAT, build: null, owner: null, expires: new Date(0).toISOString() };
  const { format, ...holder } = { ...free, ...parsed(text) };
  if (format !== FORMAT) throw otherFormat(LOCK, format, FORMAT);
  return holder;
}

function parsed(text: string): object {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
