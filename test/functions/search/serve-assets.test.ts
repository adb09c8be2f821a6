import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { createHandler } from '../../../functions/search/handler.ts';
import { nodesOf, readPage, tableUnder, textOf } from '../../docs/pages.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
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
    expect(html).toContain(
      '<label for="question" class="unseen" data-text="ask">Ask in any language</label>',
    );
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
    expect(compressed.length).toBeLessThan(31_000);
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

  test('only the page, and the way to it, are open to a browser without a key', async () => {
    expect((await request(locked, '/', browser)).status).toBe(200);
    expect((await request(locked, '/', { ...browser, method: 'HEAD' })).status).toBe(200);
    for (const path of ['/search?q=x', '/overview', '/health', '/openapi.json', '/nothing']) {
      expect((await request(locked, path, browser)).status).toBe(401);
    }
    // The page then asks for the key. Nothing says whether the passage exists.
    const passage = await request(locked, '/passages/x', browser);
    expect([passage.status, await passage.text()]).toEqual([302, '']);
    expect((await request(locked, '/', { ...browser, method: 'POST' })).status).toBe(401);
    expect((await request(locked, '/')).status).toBe(401);
  });

  test('they require a key if the page is off', async () => {
    const off = createApp(new SearchDouble(), { ...quiet, apiKeys, page: false });
    for (const path of ['/', '/passages/x']) expect((await request(off, path, browser)).status).toBe(401);
  });
});

const apiKeys = new Map([['chatbot', { digest: digestOf('ps_key') }]]);
const widgetApp = createApp(new SearchDouble(), { log: () => {}, apiKeys, page: false });
const get = (headers: Record<string, string> = {}) =>
  request(widgetApp, 'https://search.example/widget.js', { headers });

describe('GET /widget.js', () => {
  test('returns a module of less than 30 KB gzipped, to any page and without a key', async () => {
    const response = await get({ origin: 'https://unlisted.example' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('cache-control')).toMatch(/^public, max-age=\d+/);
    const script = await response.text();
    expect(gzipSync(script, { level: 9 }).length).toBeLessThan(30_000);
    expect(script).toContain('polyseek-search');
    // It loads nothing else, and converts no text to markup or code.
    expect(script).not.toMatch(/\bfrom"|\bimport\(|innerHTML|insertAdjacentHTML|\beval\(|new Function/);
    expect(script).not.toContain('POLYSEEK_STYLE');
  });

  test('is compressed for browsers that accept it, also in the function', async () => {
    const plain = await (await get()).text();
    for (const accepted of ['gzip, deflate, br, zstd', 'br;q=1.0, GZIP;q=0.8']) {
      const response = await get({ 'accept-encoding': accepted });
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(response.headers.get('vary')).toBe('accept-encoding');
      expect(gunzipSync(await response.arrayBuffer()).toString()).toBe(plain);
    }
    for (const refused of ['br', 'gzip;q=0, br', 'gzip;q=0.0']) {
      expect((await get({ 'accept-encoding': refused })).headers.get('content-encoding')).toBeNull();
    }
    const result = await createHandler(widgetApp)({
      rawPath: '/widget.js',
      headers: { 'accept-encoding': 'gzip' },
      requestContext: { http: { method: 'GET' } },
    });
    expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(gunzipSync(Buffer.from((result as { body: string }).body, 'base64')).toString()).toBe(plain);
  });

  test('is not sent again to a browser that has it', async () => {
    const etag = (await get()).headers.get('etag')!;
    for (const known of [etag, `"other", ${etag}`]) {
      const response = await get({ 'if-none-match': known, 'accept-encoding': 'gzip' });
      expect([response.status, await response.text()]).toEqual([304, '']);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
    }
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('answers HEAD, and no other method', async () => {
    const head = await request(widgetApp, '/widget.js', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await request(widgetApp, '/widget.js', { method: 'POST' })).status).toBe(405);
  });
});

describe('docs/widget.md', () => {
  const page = readPage('docs/widget.md');
  const script = get().then((response) => response.text());
  /** Names in the first column of the tables under a heading, without `--polyseek-`. */
  const namesIn = (tables: string[][][]) =>
    tables
      .flatMap((rows) => rows.flatMap(([cell = '']) => cell.replaceAll('--polyseek-', '').split(', ')))
      .sort();
  const found = async (pattern: RegExp) =>
    [...new Set([...(await script).matchAll(pattern)].flatMap(([, name = '']) => name.split(' ')))].sort();

  test('lists all attributes', async () => {
    const file = join(temporaryFolder(), 'widget.mjs');
    writeFileSync(file, await script);
    const { PolyseekSearch } = await import(pathToFileURL(file).href);
    // Only the style reads the theme.
    const attributes = [...PolyseekSearch.observedAttributes, 'theme'].sort();
    expect(namesIn([tableUnder(page, 'Attributes')])).toEqual(attributes);
  });

  test('lists all custom properties and parts', async () => {
    const tables = nodesOf(page.tree, 'table').map((table) =>
      table.children.slice(1).map((row) => row.children.map(textOf)),
    );
    const properties = tables.filter(([row]) => row?.[0]?.startsWith('--'));
    expect(namesIn(properties)).toEqual(await found(/var\(--polyseek-([\w-]+)/g));
    const parts = tables.filter(([row]) => row?.[0] === 'button');
    expect(namesIn(parts)).toEqual(await found(/part(?::|\.add\()"([\w-]+)"/g));
  });
});

test('importing the widget in Node defines nothing, and does not fail', async () => {
  const file = join(temporaryFolder(), 'widget.mjs');
  writeFileSync(file, await (await get()).text());
  const module = await import(pathToFileURL(file).href);
  expect(Object.keys(module)).toEqual(['PolyseekSearch']);
});
