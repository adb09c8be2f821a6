const KEY = 'polyseek-api-key';

/** URL of the endpoint. The page's own URL may lack the slash after the stage. */
export const base = new URL(location.pathname.replace(/\/?$/, '/'), location.origin).href;

/** An error response of the endpoint. */
export class EndpointError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether requests contain an API key. */
export const hasKey = (): boolean => sessionStorage.getItem(KEY) !== null;

/** Sends this API key until the tab is closed. */
export function useKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

/**
 * Gets JSON from a path of the endpoint.
 * @throws EndpointError, or an `Error` for a failed connection
 */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const key = sessionStorage.getItem(KEY);
  const response = await fetch(base + path, {
    headers: key === null ? {} : { 'x-api-key': key },
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Error('The endpoint cannot be reached. Check the connection and try again.');
  });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body as T;
  // A problem document has `detail`, an error of API Gateway `message`.
  const reason = body.detail ?? body.message ?? response.statusText;
  throw new EndpointError(response.status, reason || `The endpoint returned status ${response.status}.`);
}
