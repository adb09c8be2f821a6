import { randomUUID } from 'node:crypto';
import { parse } from 'valibot';
import { expect } from 'vitest';
import { problemSchema } from '../../../functions/search/answer-schemas.ts';
import { createApp } from '../../../functions/search/app.ts';
import type { App, HttpRequest } from '../../../functions/search/http.ts';
import { decodePath } from '../../../functions/search/paths.ts';
import { SearchDouble } from './search-double.ts';

/** The default values of a search request. */
export const defaults = { k: 10, mode: 'hybrid', context: 0, explain: false, matches: false };

/** The parts of a request that its URL determines. */
export function addressOf(address: string): Pick<HttpRequest, 'url' | 'path'> {
  const url = new URL(address);
  return { url, path: decodePath(url.pathname) };
}

/** A POST with a JSON body. Text is sent unchanged. */
export function post(body: unknown, type = 'application/json'): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', body: text, headers: { 'content-type': type } };
}

/**
 * Sends a request to an app like `fetch`.
 * @param prefix the part of the path that a gateway removed
 */
export async function request(app: App, path: string, init?: RequestInit, prefix = ''): Promise<Response> {
  const sent = new Request(path.startsWith('/') ? `http://localhost${path}` : path, init);
  const { status, headers, body, isBase64Encoded } = await app({
    method: sent.method,
    ...addressOf(sent.url),
    prefix,
    headers: Object.fromEntries(sent.headers),
    body: sent.body ?? [],
    requestId: randomUUID(),
  });
  return new Response(isBase64Encoded ? Buffer.from(body, 'base64') : body || null, { status, headers });
}

async function send(path: string, init?: RequestInit) {
  const search = new SearchDouble();
  const response = await request(createApp(search, { log: () => {} }), path, init);
  return { response, requests: search.requests };
}

/** Sends a request to the endpoint, and returns the only search it runs. */
export async function asked(path: string, init?: RequestInit) {
  const { response, requests } = await send(path, init);
  expect(response.status).toBe(200);
  expect(requests).toHaveLength(1);
  return requests[0]!;
}

/** Sends a request that the endpoint refuses before any search, and returns the problem. */
export async function refused(path: string, init?: RequestInit) {
  const { response, requests } = await send(path, init);
  expect(requests).toEqual([]);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const problem = parse(problemSchema, await response.json());
  expect(problem).toMatchObject({ type: 'about:blank', status: response.status });
  return problem;
}
