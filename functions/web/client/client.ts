import type { Answer, Health, Passage, Question } from './types.ts';

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

/** A failed call. The message describes the problem and, if known, its solution. */
export class PolyseekError extends Error {
  override readonly name = 'PolyseekError';
  /** HTTP status; undefined if no complete response arrived. */
  readonly status: number | undefined;
  /** Identifies the request in the endpoint's log. */
  readonly requestId: string | undefined;
  /** Milliseconds to wait before a retry, if the endpoint says so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { status?: number; requestId?: string; retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.status = options.status;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** If the endpoint asks for a longer wait, the call rejects. */
const MAX_WAIT_MS = 20_000;

/** Exponential backoff with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const backoff = (attempt: number) => Math.random() * Math.min(5_000, 250 * 2 ** attempt);

/** Whether the same request may succeed later. */
const isTemporary = ({ status }: PolyseekError) => status === undefined || status === 429 || status >= 500;

/** Milliseconds of a `Retry-After` header (RFC 9110, 10.2.3); undefined without a valid one. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return ms > 0 ? ms : undefined;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads an error response: a problem document (RFC 9457), or a gateway's `{"message"}`. */
function toError({ status, headers }: Response, body: unknown): PolyseekError {
  const { detail, message } = (body ?? {}) as { detail?: unknown; message?: unknown };
  const requestId = headers.get('x-request-id') ?? headers.get('apigw-requestid') ?? undefined;
  const retryAfterMs = retryAfter(headers.get('retry-after'));
  return new PolyseekError(String(detail ?? message ?? `The endpoint returned status ${status}.`), {
    status,
    requestId,
    retryAfterMs,
  });
}

/** A client of one endpoint. Requires only `fetch`, so it runs in Node, browsers and edge functions. */
export class Polyseek {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #fetch: typeof fetch;

  constructor({ url, apiKey, timeoutMs = 10_000, retries = 3, fetch = globalThis.fetch }: PolyseekOptions) {
    this.#base = url.replace(/\/+$/, '');
    this.#headers = apiKey ? { authorization: `Bearer ${apiKey}` } : {};
    this.#timeoutMs = timeoutMs;
    this.#retries = retries;
    // Browsers' fetch must not be called as a method.
    this.#fetch = (input, init) => fetch(input, init);
  }

  /**
   * Finds the passages that answer a question, given as text or with options (`{ q, k, lang, … }`).
   * Rejects with a `PolyseekError`, or with the signal's reason.
   */
  search(question: string | Question, { signal }: CallOptions = {}): Promise<Answer> {
    const body = JSON.stringify(typeof question === 'string' ? { q: question } : question);
    const headers = { ...this.#headers, 'content-type': 'application/json' };
    return this.#call('/search', { method: 'POST', headers, body }, signal);
  }

  /** Gets the passage with this id, and `context` surrounding passages on each side. Rejects as `search` does, with status 404 for an unknown id. */
  passage(id: string, { context = 0, signal }: CallOptions & { context?: number } = {}): Promise<Passage> {
    const path = `/passages/${encodeURIComponent(id)}?context=${context}`;
    return this.#call(path, { headers: this.#headers }, signal);
  }

  /** Gets the version, size and model of the index. Rejects as `search` does. */
  health({ signal }: CallOptions = {}): Promise<Health> {
    return this.#call('/health', { headers: this.#headers }, signal);
  }

  async #call<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return (await this.#attempt(path, init, signal)) as T;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof PolyseekError) || !isTemporary(error) || attempt >= this.#retries) throw error;
        const { retryAfterMs = 0 } = error;
        if (retryAfterMs > MAX_WAIT_MS) throw error;
        await pause(Math.max(backoff(attempt), retryAfterMs), signal);
      }
    }
  }

  async #attempt(path: string, init: RequestInit, signal?: AbortSignal): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const url = this.#base + path;
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(url, {
        ...init,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await response.text();
    } catch (cause) {
      const fault = timeout.aborted
        ? `did not answer within ${this.#timeoutMs} ms. Try again, or increase timeoutMs.`
        : 'cannot be reached. Check the url and the connection.';
      throw new PolyseekError(`${url} ${fault}`, { cause });
    }
    const body = parse(text);
    if (!response.ok) throw toError(response, body);
    if (typeof body === 'object' && body !== null) return body;
    throw new PolyseekError(`${url} did not return JSON. Check the url.`, { status: response.status });
  }
}
