import { setTimeout as wait } from 'node:timers/promises';

/** S3 Vectors accepts this many vectors, and this many requests, a second an index. */
const VECTORS_A_SECOND = 2500;
const REQUESTS_A_SECOND = 1000;

/** Spreads writes of vectors over time, so that they stay below the limits of S3 Vectors. */
export class Pace {
  #next = 0;

  /** Waits until a write of this many vectors may start. */
  async take(vectors: number): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#next);
    this.#next = start + Math.max((1000 * vectors) / VECTORS_A_SECOND, 1000 / REQUESTS_A_SECOND);
    if (start > now) await wait(start - now);
  }
}
