import { setTimeout as wait } from 'node:timers/promises';
import { statusOf } from '../failures.ts';

/** Milliseconds before each further attempt of a call. S3 Vectors limits writes a second, so throttling ends with patience. */
const DELAYS = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];

/** Errors that a later attempt may not have, by name or code. Conditional requests conflict if they run at the same time. */
const TRANSIENT = new Set([
  'ConditionalRequestConflict',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'InternalError',
  'InternalServerException',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ServiceUnavailableException',
  'SlowDown',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
]);

function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = statusOf(error);
  const code: unknown = Reflect.get(error, 'code');
  return (
    TRANSIENT.has(error.name) ||
    (typeof code === 'string' && TRANSIENT.has(code)) ||
    status === 429 ||
    status >= 500
  );
}

/**
 * Runs a call again while it fails for reasons that pass: throttling, failures of the service, cut connections. The SDK has its own
 * few attempts within each.
 * @param speed divides the time between attempts
 * @param signal ends the wait for a further attempt
 */
export async function patiently<T>(run: () => Promise<T>, speed = 1, signal?: AbortSignal): Promise<T> {
  for (const delay of DELAYS) {
    try {
      return await run();
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    // Writers that were throttled together must not come back together.
    await wait((delay * (0.5 + Math.random() / 2)) / speed, undefined, { signal });
  }
  return run();
}
