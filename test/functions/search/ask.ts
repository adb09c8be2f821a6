import { randomUUID } from 'node:crypto';
import { parse } from 'valibot';
import { expect } from 'vitest';
import { problemSchema } from '../../../functions/search/answer-schemas.ts';
import { createApp } from '../../../functions/search/app.ts';
import type { App } from '../../../functions/search/http.ts';
import { SearchDouble } from './search-double.ts';

/** What a search is asked for where a request says nothing else. */
export const defaults = { k: 10, mode: 'hybrid', context: 0, explain: false };

/** A POST of JSON; text is sent as it is. */
export function post(body: unknown, type = 'application/json'): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', body: text, headers: { 'content-type': type } };
}

/**
 * Sends a request to an app as `fetch` would.
 * @param prefix the part of the path that a gateway took off
 */
export async function request(app: App, path: string, init?: RequestInit, prefix = ''): Promise<Response> {
  const sent = new Request(path.startsWith('/') ? `http://localhost${path}` : path, init);
  const { status, headers, body } = await app({
    method: sent.method,
    url: new URL(sent.url),
    prefix,
    headers: Object.fromEntries(sent.headers),
    body: sent.body ?? [],
    requestId: randomUUID(),
  });
  return new Response(body || null, { status, headers });
}

async function send(path: string, init?: RequestInit) {
  const search = new SearchDouble();
  const response = await request(createApp(search, { log: () => {} }), path, init);
  return { response, requests: search.requests };
}

/** The one search that a request to the endpoint leads to. */
export async function asked(path: string, init?: RequestInit) {
  const { response, requests } = await send(path, init);
  expect(response.status).toBe(200);
  expect(requests).toHaveLength(1);
  return requests[0]!;
}

/** The problem that a request to the endpoint is refused with, before any search. */
export async function refused(path: string, init?: RequestInit) {
  const { response, requests } = await send(path, init);
  expect(requests).toEqual([]);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const problem = parse(problemSchema, await response.json());
  expect(problem).toMatchObject({ type: 'about:blank', status: response.status });
  return problem;
}
