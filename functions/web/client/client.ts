import { type Connection, call } from './call.ts';
import type { Answer, Health, Passage, Question } from './types.ts';

export { PolyseekError } from './call.ts';
export type * from './types.ts';

export interface PolyseekOptions {
  /** URL of the endpoint, such as `https://abcde12345.execute-api.eu-central-1.amazonaws.com`. */
  url: string;
  /** An API key, or a token for JWT authorization. */
  apiKey?: string;
  /** Maximum milliseconds of one attempt. Default: 10,000. */
  timeoutMs?: number;
  /** Maximum number of retries after a temporary error: 429, 5xx, no connection, timeout. Default: 3. */
  retries?: number;
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Aborts the call, also between attempts. The call then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** A client of one endpoint. Requires only `fetch`, so it runs in Node, browsers and edge functions. */
export class Polyseek {
  readonly #connection: Connection;

  constructor({ url, apiKey, timeoutMs = 10_000, retries = 3, fetch = globalThis.fetch }: PolyseekOptions) {
    this.#connection = {
      url: url.replace(/\/+$/, ''),
      headers: (): Record<string, string> => (apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
      timeoutMs,
      retries,
      longestWaitMs: 20_000,
      fetch,
    };
  }

  /**
   * Finds the passages that answer a question, given as text or with options (`{ q, k, lang, … }`).
   * Rejects with a `PolyseekError`, or with the signal's reason.
   */
  search(question: string | Question, { signal }: CallOptions = {}): Promise<Answer> {
    const body = typeof question === 'string' ? { q: question } : question;
    return call(this.#connection, '/search', body, signal);
  }

  /** Gets the passage with this id, and `context` surrounding passages on each side. Rejects as `search` does, with status 404 for an unknown id. */
  passage(id: string, { context = 0, signal }: CallOptions & { context?: number } = {}): Promise<Passage> {
    const path = `/passages/${encodeURIComponent(id)}?context=${context}`;
    return call(this.#connection, path, undefined, signal);
  }

  /** Gets the version, size and model of the index. Rejects as `search` does. */
  health({ signal }: CallOptions = {}): Promise<Health> {
    return call(this.#connection, '/health', undefined, signal);
  }
}
