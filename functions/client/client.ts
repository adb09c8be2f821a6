import type { Answer, Health, Passage, Question } from './types.ts';

export type * from './types.ts';

export interface PolyseekOptions {
  /** Where the endpoint is reached, such as `https://abcde12345.execute-api.eu-central-1.amazonaws.com`. */
  url: string;
  /** An API key, or the token where the endpoint has JWT authorization. */
  apiKey?: string;
  /** Milliseconds that one attempt may take. */
  timeoutMs?: number;
  /** How many attempts may follow a first one that failed for the moment: 429, 5xx, no connection, time-out. */
  retries?: number;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Ends the call, waits between attempts included; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Why a call has no answer. The message says what was wrong and, if the endpoint said so, what to change. */
export class PolyseekError extends Error {
  override readonly name = 'PolyseekError';
  /** HTTP status; undefined where no whole answer came. */
  readonly status: number | undefined;
  /** Names the request in the endpoint's log. */
  readonly requestId: string | undefined;
  /** Milliseconds after which the endpoint wants to be asked again. */
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

/** A longer wait is left to the caller. */
const LONGEST_WAIT_MS = 20_000;

/** Full jitter: any time up to one that doubles with each attempt. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const backoff = (attempt: number) => Math.random() * Math.min(5_000, 250 * 2 ** attempt);

/** Whether the same request may succeed later. */
const isPassing = ({ status }: PolyseekError) => status === undefined || status === 429 || status >= 500;

/** Milliseconds that a `Retry-After` header asks for (RFC 9110, 10.2.3); undefined where it asks for nothing. */
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

/** The error that a refusal stands for: a problem document (RFC 9457), or a gateway's `{"message"}`. */
function refusal({ status, headers }: Response, body: unknown): PolyseekError {
  const { detail, message } = (body ?? {}) as { detail?: unknown; message?: unknown };
  const requestId = headers.get('x-request-id') ?? headers.get('apigw-requestid') ?? undefined;
  const retryAfterMs = retryAfter(headers.get('retry-after'));
  return new PolyseekError(String(detail ?? message ?? `The endpoint answered with status ${status}.`), {
    status,
    requestId,
    retryAfterMs,
  });
}

/** A client of one endpoint. Needs nothing but `fetch`: runs in Node, browsers and edge functions. */
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
    // Browsers' fetch refuses to be called as a method.
    this.#fetch = (input, init) => fetch(input, init);
  }

  /**
   * The passages that answer a question, given as text or with options (`{ q, k, lang, … }`).
   * Rejects with a `PolyseekError`, or with the signal's reason.
   */
  search(question: string | Question, { signal }: CallOptions = {}): Promise<Answer> {
    const body = JSON.stringify(typeof question === 'string' ? { q: question } : question);
    const headers = { ...this.#headers, 'content-type': 'application/json' };
    return this.#call('/search', { method: 'POST', headers, body }, signal);
  }

  /** The passage with this id, with `context` neighbours on each side. Rejects as `search` does; the status is 404 where there is none. */
  passage(id: string, { context = 0, signal }: CallOptions & { context?: number } = {}): Promise<Passage> {
    const path = `/passages/${encodeURIComponent(id)}?context=${context}`;
    return this.#call(path, { headers: this.#headers }, signal);
  }

  /** What is searched. Rejects as `search` does. */
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
        if (!(error instanceof PolyseekError) || !isPassing(error) || attempt >= this.#retries) throw error;
        const { retryAfterMs = 0 } = error;
        if (retryAfterMs > LONGEST_WAIT_MS) throw error;
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
      const why = timeout.aborted ? `did not answer within ${this.#timeoutMs} ms` : 'could not be reached';
      throw new PolyseekError(`${url} ${why}.`, { cause });
    }
    const body = parse(text);
    if (!response.ok) throw refusal(response, body);
    if (typeof body === 'object' && body !== null) return body;
    throw new PolyseekError(`${url} did not answer with JSON: check the url.`, { status: response.status });
  }
}
