import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { withCors } from '../../../functions/search/listener.ts';
import { request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const APP = 'https://app.example';
const options = { log: () => {}, apiKeys: new Map([['bot', { digest: digestOf('ps_key') }]]) };

/** The CORS headers of an answer, and its `vary`. */
async function corsHeaders(origins: string[], path: string, init: RequestInit) {
  const app = withCors(createApp(new SearchDouble(), { ...options, origins }), origins);
  const { status, headers } = await request(app, path, init);
  const listed = [...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary');
  return { status, ...Object.fromEntries(listed) };
}

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST' },
});

describe.each([[[APP]], [['*']]])('origins %o', (origins) => {
  test('a preflight returns methods and headers', async () => {
    expect(await corsHeaders(origins, '/search', preflight(APP))).toEqual({
      status: 204,
      vary: 'origin',
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers':
        'authorization, content-type, x-api-key, mcp-protocol-version, mcp-method, mcp-name',
      'access-control-expose-headers': 'x-request-id, www-authenticate',
      'access-control-max-age': '3600',
    });
  });

  test.each([
    ['/search?q=x', { 'x-api-key': 'ps_key' }, 200],
    ['/search?k=0', { 'x-api-key': 'ps_key' }, 400],
    ['/search?q=x', {}, 401],
  ])('%s with %o can be read', async (path, headers, status) => {
    expect(await corsHeaders(origins, path, { headers: { ...headers, origin: APP } })).toEqual({
      status,
      vary: 'origin',
      'access-control-allow-origin': APP,
      'access-control-expose-headers': 'x-request-id, www-authenticate',
    });
  });
});

test('an unlisted origin receives no CORS headers', async () => {
  expect(await corsHeaders([APP], '/search', preflight('https://evil.example'))).toEqual({
    status: 403,
    vary: 'origin',
  });
  expect(await corsHeaders([], '/', { headers: { accept: 'text/html' } })).toEqual({
    status: 200,
    vary: 'accept, accept-encoding, origin',
  });
});

test('the app alone sends no CORS headers, because API Gateway does', async () => {
  const app = createApp(new SearchDouble(), { ...options, origins: [APP] });
  const { headers } = await request(app, '/search', preflight(APP));
  expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
});
