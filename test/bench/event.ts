import { HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';

/** Returns the event of a search, as an HTTP API sends it. */
export function searchEvent(q: string, parameters: Record<string, string> = {}): unknown {
  return httpEvent(HTTP_API, { path: `/search?${new URLSearchParams({ q, ...parameters })}` });
}
