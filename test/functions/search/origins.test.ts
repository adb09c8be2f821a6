import { describe, expect, test } from 'vitest';
import { type AppOptions, createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { readOrigins } from '../../../functions/search/origins.ts';
import { post, request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const silent = { log: () => {} };
const passage = `/passages/${encodeURIComponent('guides/passports.md#2')}`;
const mcp = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
const accept = 'application/json, text/event-stream';

/** A valid request to each route. */
const routes: [path: string, init: RequestInit][] = [
  ['/search?q=x', {}],
  ['/search', post({ q: 'x' })],
  [passage, {}],
  ['/mcp', { method: 'POST', headers: { 'content-type': 'application/json', accept }, body: mcp }],
  ['/health', {}],
  ['/overview', {}],
  ['/openapi.json', {}],
  ['/', {}],
  ['/', { headers: { accept: 'text/html' } }],
];

/** Sends a request like a page of an origin, or like a program if there is no origin. */
async function send(
  address: string,
  [path, init]: (typeof routes)[number],
  origin?: string,
  options: AppOptions = {},
): Promise<{ status: number; detail: string }> {
  const headers = { ...init.headers, ...(origin !== undefined && { origin }) };
  const app = createApp(new SearchDouble(), { ...silent, ...options });
  const response = await request(app, address + path, { ...init, headers });
  const text = await response.text();
  return { status: response.status, detail: response.status === 403 ? JSON.parse(text).detail : '' };
}

describe.each(routes)('%s %o', (...route) => {
  test.each<[string, string, readonly string[], number]>([
    ['http://localhost:8787', 'http://localhost:3000', [], 200],
    ['http://127.0.0.1:8787', 'http://localhost:8787', [], 200],
    ['http://[::1]:8787', 'http://[::1]:8787', [], 200],
    ['http://192.168.1.5:8787', 'http://192.168.1.5:8787', [], 200],
    ['http://192.168.1.5:8787', 'http://localhost:8787', [], 403],
    ['http://localhost:8787', 'https://evil.example', [], 403],
    ['http://localhost:8787', 'http://localhost.evil.example', [], 403],
    ['http://localhost:8787', 'null', [], 403],
    ['http://localhost:8787', '', [], 403],
    ['http://localhost:8787', 'https://app.example', ['https://app.example'], 200],
    ['https://search.example', 'https://search.example', [], 200],
    ['https://search.example', 'http://search.example', [], 403],
    ['https://search.example', 'http://localhost:3000', [], 403],
    ['https://search.example', 'https://app.example', ['https://other.example', 'https://app.example'], 200],
    ['https://search.example', 'https://app.example', ['https://other.example'], 403],
    ['https://search.example', 'https://app.example', ['*'], 200],
  ])('at %s, pages of %s with origins %o: %i', async (address, origin, origins, status) => {
    const answer = await send(address, route, origin, { origins });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    expect(answer.detail).toBe(
      `Pages of the origin "${origin}" may not call this endpoint. List the origin in the setting cors, or in CORS_ORIGINS of npx polyseek start.`,
    );
  });

  // Anyone can point their own domain name at this machine (DNS rebinding).
  test.each<[string, AppOptions, number]>([
    ['http://evil.example:8787', {}, 403],
    ['http://evil.example:8787', { host: '127.0.0.1' }, 403],
    ['http://evil.example:8787', { host: '0.0.0.0', origins: ['https://app.example'] }, 403],
    ['http://1.2.3.4.evil.example:8787', {}, 403],
    ['http://localhost:8787', {}, 200],
    ['http://10.0.0.7:8787', { host: '0.0.0.0' }, 200],
    ['http://[fd00::7]:8787', { host: '::' }, 200],
    ['http://search.lan:8787', { host: 'Search.lan' }, 200],
    ['http://search.lan:8787', { origins: ['https://search.lan'] }, 200],
    ['http://search.lan:8787', { origins: ['*'] }, 200],
    ['https://abcde12345.execute-api.eu-central-1.amazonaws.com', {}, 200],
    ['https://search.example', {}, 200],
  ])('at %s with %o: %i', async (address, options, status) => {
    // Browsers send no origin with GET from a page on the same host.
    for (const origin of [undefined, new URL(address).origin]) {
      const answer = await send(address, route, origin, options);
      expect(answer.status).toBe(status);
      if (status === 200) continue;
      const { hostname } = new URL(address);
      expect(answer.detail).toBe(
        `This server does not know the host name "${hostname}". Set HOST to it, or list its origin in CORS_ORIGINS.`,
      );
    }
  });

  test('is checked with API keys too', async () => {
    const apiKeys = new Map([['bot', { digest: digestOf('ps_key') }]]);
    const [path, init] = route;
    const keyed: typeof route = [path, { ...init, headers: { ...init.headers, 'x-api-key': 'ps_key' } }];
    expect((await send('http://localhost', keyed, undefined, { apiKeys })).status).toBe(200);
    expect((await send('http://localhost', keyed, 'https://evil.example', { apiKeys })).status).toBe(403);
  });
});

test.each([
  [undefined, []],
  ['', []],
  ['*', ['*']],
  ['https://a.example, https://b.example,', ['https://a.example', 'https://b.example']],
])('CORS_ORIGINS %o lists %o', (text, origins) => {
  expect(readOrigins(text)).toEqual(origins);
});
