/** Statuses after which the same request may succeed: throttling, a gateway's errors, and 0 for a lost connection. */
const TRANSIENT = [0, 429, 502, 503, 504];

const ATTEMPTS = 3;
/** Milliseconds before the second attempt. Each further wait is twice as long. */
const FIRST_WAIT = 400;
/** If the endpoint asks for a longer wait, the person decides when to try again. */
const LONGEST_WAIT = 8000;

/** A failed request. */
export class EndpointError extends Error {
  /** The status of the response, or 0 if there was none. */
  readonly status: number;
  /** Milliseconds that the endpoint asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return TRANSIENT.includes(this.status);
  }
}

/** A polyseek endpoint. */
export interface Endpoint {
  /** URL with a final slash. */
  readonly base: string;
  /**
   * Gets JSON from a path. Repeats a request that failed on the way, at most twice.
   * @param path relative to `base`, such as `search?q=x`
   * @throws EndpointError, or the signal's reason once it is aborted
   */
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** Posts JSON that changes nothing, such as a search, and gets JSON as `get` does. */
  post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T>;
}

export interface EndpointOptions {
  /** URL with a final slash. */
  base: string;
  /** Returns the API key to send, if any. Called for each request. */
  key?: () => string | null | undefined;
}

/** Creates a client of an endpoint for browsers. */
export function createEndpoint({ base, key }: EndpointOptions): Endpoint {
  /** @throws EndpointError, or the signal's reason */
  async function send(path: string, body: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const value = key?.();
    try {
      const response = await fetch(base + path, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        headers: {
          ...(value && { 'x-api-key': value }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        signal: signal ?? null,
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text);
      throw new EndpointError(response.status, reasonOf(response, text), retryAfterOf(response));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof EndpointError) throw error;
      // A body that ends early is no JSON.
      throw new EndpointError(0, 'The endpoint cannot be reached. Check the connection and try again.');
    }
  }

  async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await send(path, body, signal)) as T;
      } catch (error) {
        if (!(error instanceof EndpointError)) throw error;
        // Random, so that browsers that failed together do not return together.
        const wait = error.retryAfter ?? FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + Math.random());
        if (!error.isTransient || attempt === ATTEMPTS || wait > LONGEST_WAIT) throw error;
        await sleep(wait, signal);
      }
    }
  }

  return { base, get: (path, signal) => post(path, undefined, signal), post };
}

/** A problem document has `detail`, an error of API Gateway `message`. */
function reasonOf({ status, statusText }: Response, text: string): string {
  let reason: unknown;
  try {
    const body = JSON.parse(text);
    reason = body.detail ?? body.message;
  } catch {
    // A gateway's error may be HTML.
  }
  return typeof reason === 'string' ? reason : statusText || `The endpoint returned status ${status}.`;
}

/** `Retry-After` in milliseconds: it contains seconds or a date. */
function retryAfterOf({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (!value) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
    setTimeout(resolve, ms);
  });
}
