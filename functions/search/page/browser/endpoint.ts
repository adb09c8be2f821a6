const KEY = 'polyseek-api-key';

/** Where the endpoint is. The page may have been asked for without the slash at the end of its stage's path. */
export const base = new URL(location.pathname.replace(/\/?$/, '/'), location.origin).href;

/** The endpoint's refusal; the message says why. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether requests are sent with a key. */
export const hasKey = (): boolean => sessionStorage.getItem(KEY) !== null;

/** Sends a key from now on, until the tab is closed. */
export function useKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

/**
 * JSON that the endpoint answers with at a path.
 * @throws Refusal, or an `Error` of one sentence where there is no answer
 */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const key = sessionStorage.getItem(KEY);
  const response = await fetch(base + path, {
    headers: key === null ? {} : { 'x-api-key': key },
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Error('The endpoint cannot be reached: check the connection, then ask again.');
  });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body as T;
  // A problem has `detail`; API Gateway's own refusals have `message`.
  const reason = body.detail ?? body.message ?? response.statusText;
  throw new Refusal(response.status, reason || `The endpoint refused with status ${response.status}.`);
}
