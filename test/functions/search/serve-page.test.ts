import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

// Chromium sends this header for a typed address.
const accept =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8';
const browser = { headers: { accept } };
const quiet = { log: () => {} };
const app = createApp(new SearchDouble(), quiet);

describe('GET / from a browser', () => {
  test('returns one HTML page of less than 90 KB without external resources', async () => {
    const response = await request(app, '/', browser);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await response.text();
    expect(Buffer.byteLength(html)).toBeLessThan(90_000);
    const addresses = [...html.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses.filter((address) => !address!.startsWith('data:'))).toEqual(['?']);
    // Before its script runs, the page is in English.
    expect(html).toContain('<label for="question" data-text="ask">Ask in any language</label>');
    expect(html).not.toMatch(/@import|url\(| style="| on[a-z]+="/);
  });

  test('has a policy that allows only its own style and script (by hash) and requests to itself', async () => {
    const response = await request(app, '/', browser);
    const html = await response.text();
    const hashOf = (element: string) => {
      const text = html.match(new RegExp(`<${element}>([^]*)</${element}>`))?.[1];
      return `'sha256-${createHash('sha256').update(text!).digest('base64')}'`;
    };
    expect(response.headers.get('content-security-policy')?.split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${hashOf('style')}`,
      `script-src ${hashOf('script')}`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('vary')).toBe('accept, accept-encoding');
  });

  test('is compressed for browsers that accept it', async () => {
    const plain = await (await request(app, '/', browser)).text();
    const headers = { ...browser.headers, 'accept-encoding': 'gzip, br' };
    const response = await request(app, '/', { headers });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const compressed = Buffer.from(await response.arrayBuffer());
    expect(gunzipSync(compressed).toString()).toBe(plain);
    expect(compressed.length).toBeLessThan(30_000);
  });

  test('returns JSON if the page is off', async () => {
    const response = await request(createApp(new SearchDouble(), { ...quiet, page: false }), '/', browser);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });
});

test.each([undefined, '*/*', 'application/json', 'text/plain, */*'])(
  'GET / returns JSON to a program that accepts %s',
  async (accept) => {
    const response = await request(app, '/', accept === undefined ? {} : { headers: { accept } });
    expect(response.headers.get('vary')).toBe('accept');
    expect(await response.json()).toMatchObject({ name: 'polyseek' });
  },
);

describe('with API keys', () => {
  const apiKeys = new Map([['chatbot', { digest: digestOf('ps_key') }]]);
  const locked = createApp(new SearchDouble(), { ...quiet, apiKeys });

  test('only the page is open to a browser without a key', async () => {
    expect((await request(locked, '/', browser)).status).toBe(200);
    expect((await request(locked, '/', { ...browser, method: 'HEAD' })).status).toBe(200);
    for (const path of ['/search?q=x', '/overview', '/health', '/openapi.json', '/passages/x', '/nothing']) {
      expect((await request(locked, path, browser)).status).toBe(401);
    }
    expect((await request(locked, '/', { ...browser, method: 'POST' })).status).toBe(401);
    expect((await request(locked, '/')).status).toBe(401);
  });

  test('GET / requires a key if the page is off', async () => {
    const off = createApp(new SearchDouble(), { ...quiet, apiKeys, page: false });
    expect((await request(off, '/', browser)).status).toBe(401);
  });
});
