export interface Connection {
  /** URL without a final slash. */
  url: string;
  /** Returns the headers of a request, such as that of an API key. */
  headers: () => Record<string, string>;
  /** Maximum milliseconds of one attempt. */
  timeoutMs: number;
  /** Maximum number of retries after a temporary error. */
  retries: number;
  /** Maximum milliseconds of a wait that the endpoint asks for. After a longer one, the call rejects. */
  longestWaitMs: number;
  fetch: typeof fetch;
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

/** Exponential backoff with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const backoff = (attempt: number) => Math.random() * Math.min(5_000, 250 * 2 ** attempt);

/** Whether the same request may succeed later. */
const isTemporary = ({ status }: PolyseekError) => status === undefined || status === 429 || status >= 500;

/**
 * Gets JSON from a path of the endpoint, with `POST` if there is a body. Repeats a request that failed for now.
 * Rejects with a `PolyseekError`, or with the signal's reason.
 */
export async function call<T>(
  connection: Connection,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return (await attemptCall(connection, path, body, signal)) as T;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof PolyseekError) || !isTemporary(error) || attempt >= connection.retries)
        throw error;
      const { retryAfterMs = 0 } = error;
      if (retryAfterMs > connection.longestWaitMs) throw error;
      await pause(Math.max(backoff(attempt), retryAfterMs), signal);
    }
  }
}

async function attemptCall(
  connection: Connection,
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  // Browsers' fetch must not be called as a method.
  const { fetch, headers, timeoutMs } = connection;
  const timeout = AbortSignal.timeout(timeoutMs);
  const url = connection.url + path;
  const post = body !== undefined && { method: 'POST', body: JSON.stringify(body) };
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      ...post,
      headers: { ...headers(), ...(post && { 'content-type': 'application/json' }) },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await response.text();
  } catch (cause) {
    const fault = timeout.aborted
      ? `did not answer within ${timeoutMs} ms. Try again, or increase timeoutMs.`
      : 'cannot be reached. Check the url and the connection.';
    throw new PolyseekError(`${url} ${fault}`, { cause });
  }
  const answer = parse(text);
  if (!response.ok) throw toError(response, answer);
  if (typeof answer === 'object' && answer !== null) return answer;
  throw new PolyseekError(`${url} did not return JSON. Check the url.`, { status: response.status });
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

/** Milliseconds of a `Retry-After` header (RFC 9110, 10.2.3); undefined without a valid one. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return ms > 0 ? ms : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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

/** The data of server-sent events, line by line. */
export async function* eventsOf(body: NonNullable<Response['body']>): AsyncGenerator<string> {
  // Safari cannot iterate over a stream.
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let line = '';
  try {
    for (let done = false; !done; ) {
      const chunk = await reader.read();
      done = chunk.done;
      const lines = (line + (chunk.value ?? '\n')).split('\n');
      line = lines.pop()!;
      for (const whole of lines) {
        const data = whole.startsWith('data:') ? whole.slice(5).trim() : '';
        if (data !== '') yield data;
      }
    }
  } finally {
    await reader.cancel();
  }
}
