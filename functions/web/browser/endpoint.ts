import { type Connection, call } from '../client/call.ts';

/** A polyseek endpoint. Both calls repeat a request that failed on the way, and reject with a `PolyseekError` or the signal's reason. */
export type Endpoint = ReturnType<typeof createEndpoint>;

/** Creates a client of an endpoint for browsers. `base` ends in a slash. `key` returns the API key to send with a request, if any. */
export function createEndpoint(base: string, key: () => string | null | undefined) {
  const connection: Connection = {
    url: base,
    headers(): Record<string, string> {
      const value = key();
      return value ? { 'x-api-key': value } : {};
    },
    // Longer than any endpoint takes: a browser shows meanwhile that it searches.
    timeoutMs: 30_000,
    retries: 2,
    // If the endpoint asks for a longer wait, the person decides when to try again.
    longestWaitMs: 8_000,
    fetch,
  };
  return {
    base,
    headers: connection.headers,
    /** Gets JSON from a path relative to `base`, such as `search?q=x`. */
    get: <T>(path: string, signal?: AbortSignal) => call<T>(connection, path, undefined, signal),
    /** Posts JSON and gets JSON. A request that arrives twice must do no harm. */
    post: <T>(path: string, body: unknown, signal?: AbortSignal) => call<T>(connection, path, body, signal),
  };
}
