import { setTimeout as wait } from 'node:timers/promises';
import { isPassing } from './describe-error.ts';

/** How often a call runs again, and what ends that. */
export interface Retry {
  /** Milliseconds before each further attempt. Default: `BRIEFLY`. */
  pauses?: readonly number[];
  /** Divides the pauses, for tests. */
  speed?: number | undefined;
  /** Given to each attempt, and ends the wait for a further one. */
  signal?: AbortSignal | undefined;
}

/** For calls that someone waits for. */
const BRIEFLY: readonly number[] = [100, 300, 900];
/** For long work. S3 Vectors limits writes a second, so throttling ends with patience. */
export const PATIENTLY: readonly number[] = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];

/**
 * Runs a call of AWS again while it fails for reasons that pass. The SDK would repeat neither the upload of a stream nor a response that
 * was cut, so clients whose calls run in here have `maxAttempts: 1`.
 * @throws the last failure, or the reason of the signal
 */
export async function retried<T>(
  run: (signal?: AbortSignal) => Promise<T>,
  { pauses = BRIEFLY, speed = 1, signal }: Retry = {},
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await run(signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    // Callers that were throttled together must not come back together.
    await wait((pause * (0.5 + Math.random() / 2)) / speed, undefined, { signal });
  }
  return run(signal);
}
