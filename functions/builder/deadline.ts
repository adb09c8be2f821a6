import { OutOfTime } from '../../index/ingest/reading/read-sources.ts';

/** The time of an invocation is used up, except for what publishing needs. */
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
export class Deadline {
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
  }

  /** Aborted with `TimeIsUp` when the time has come. */
  get signal(): AbortSignal {
    return this.#over.signal;
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
