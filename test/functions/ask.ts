import { parse } from 'valibot';
import { expect } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { problemSchema } from '../../functions/search/schemas.ts';
import { SearchDouble } from './search-double.ts';

/** What a search is asked for where a request says nothing else. */
export const defaults = { k: 10, mode: 'hybrid', context: 0, explain: false };

/** A POST of JSON; text is sent as it is. */
export function post(body: unknown, type = 'application/json'): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', body: text, headers: { 'content-type': type } };
}

async function send(path: string, init?: RequestInit) {
  const search = new SearchDouble();
  const response = await createApp(search, { log: () => {} }).request(path, init);
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
