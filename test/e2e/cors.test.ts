import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../functions/search/auth.ts';
import { temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { startBrowser } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const KEY = 'ps_key';

/** Requests of a page. Each has a header that requires a preflight. */
const requests = {
  'GET with a key': ['/search?q=word1&k=1', { headers: { 'x-api-key': KEY } }],
  'POST of JSON': [
    '/search',
    {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ q: 'word1', k: 1 }),
    },
  ],
  MCP: [
    '/mcp',
    {
      method: 'POST',
      headers: {
        'x-api-key': KEY,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    },
  ],
} as const;

/** Serves an empty page. Its port makes its origin unique. */
async function pageServer(): Promise<{ server: Server; origin: string }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>App</title>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(missingTools('chromium'))('pages of other origins', () => {
  const index = join(temporaryFolder(), 'index');
  let listed: Awaited<ReturnType<typeof pageServer>>;
  let unlisted: Awaited<ReturnType<typeof pageServer>>;
  let endpoint: Awaited<ReturnType<typeof startServer>>;
  let browser: Browser;

  beforeAll(async () => {
    writeRandomIndex(index, 10);
    [listed, unlisted] = await Promise.all([pageServer(), pageServer()]);
    endpoint = await startServer(index, {
      API_KEYS: JSON.stringify({ app: digestOf(KEY).toString('hex') }),
      CORS_ORIGINS: `https://app.example, ${listed.origin}`,
    });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await endpoint?.stop();
    for (const page of [listed, unlisted]) page?.server.close();
  });

  /** The parts of an answer that a page can read (status, request id and body), or the browser's error. */
  async function fetchFrom(origin: string, path: string, init: object): Promise<unknown> {
    const page: Page = await browser.newPage();
    await page.goto(origin);
    try {
      const script = `fetch(${JSON.stringify(endpoint.url + path)}, ${JSON.stringify(init)}).then(
        async (response) => ({
          status: response.status,
          requestId: response.headers.get('x-request-id'),
          body: await response.json(),
        }),
        (error) => String(error),
      )`;
      return await page.evaluate(script);
    } finally {
      await page.close();
    }
  }

  test.each(Object.entries(requests))(
    'call the local server if they are listed: %s',
    async (_, [path, init]) => {
      const answer = await fetchFrom(listed.origin, path, init);
      const body =
        path === '/mcp' ? { result: expect.anything() } : { q: 'word1', results: [expect.anything()] };
      expect(answer).toMatchObject({ status: 200, requestId: expect.stringMatching(/^[\w-]{36}$/), body });
    },
  );

  test('can read the reason of a refusal', async () => {
    expect(await fetchFrom(listed.origin, '/search?q=word1', {})).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('An API key is required.') },
    });
  });

  test.each(Object.entries(requests))('read nothing if they are not listed: %s', async (_, [path, init]) => {
    expect(await fetchFrom(unlisted.origin, path, init)).toBe('TypeError: Failed to fetch');
  });
});
