import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AppOptions, createApp } from '../../../functions/search/app.ts';
import { readApiKeys } from '../../../functions/search/auth.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import { addressOf } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const SHOP = 'https://shop.example';
const BLOG = 'https://blog.example';
const ENDPOINT = 'https://search.example';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');

/** The callers: each key, and what its owner configured. */
const settings = {
  ps_all: sha256('ps_all'),
  ps_hr: { sha256: sha256('ps_hr'), collections: ['hr'] },
  psb_shop: { sha256: sha256('psb_shop'), origins: [SHOP] },
  psb_shop_hr: { sha256: sha256('psb_shop_hr'), origins: [SHOP], collections: ['hr'] },
  psb_own: { sha256: sha256('psb_own'), origins: [BLOG, ENDPOINT] },
  // A mistake: its origins were deleted.
  psb_lost: sha256('psb_lost'),
  psb_lost_hr: { sha256: sha256('psb_lost_hr'), collections: ['hr'] },
};
const apiKeys = readApiKeys(JSON.stringify(settings));
const collections = new Map(['hr', 'law'].map((name) => [name, async () => new SearchDouble()]));

interface Sent {
  /** `aws`: AWS has authorized the caller; `none`: without a key. */
  key: string;
  path: string;
  origin?: string | undefined;
  method?: string;
  headers?: Record<string, string>;
}

const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

/** Sends a request, and returns the answer with its log entry. */
async function send({ key, path, origin, method = 'GET', headers = {} }: Sent, options: AppOptions = {}) {
  const log: LogEntry[] = [];
  const app = createApp(new SearchDouble(), {
    apiKeys,
    collections,
    log: (entry) => log.push(entry),
    ...options,
  });
  const body = path.endsWith('/mcp') ? message : { q: 'x' };
  const { status, ...rest } = await app({
    method,
    ...addressOf(ENDPOINT + path),
    headers: {
      ...(key !== 'none' && key !== 'aws' && { 'x-api-key': key }),
      ...(origin !== undefined && { origin }),
      ...(method === 'POST' && {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      }),
      ...headers,
    },
    body: method === 'POST' ? [Buffer.from(JSON.stringify(body))] : [],
    requestId: 'id',
    authorized: key === 'aws',
  });
  return { status, headers: rest.headers, json: rest.body, log: log[0]! };
}

const SEARCHES: [method: string, path: string][] = [
  ['GET', '/search?q=x'],
  ['HEAD', '/search?q=x'],
  ['POST', '/search'],
  ['GET', `/passages/${encodeURIComponent('guides/passports.md#2')}`],
  ['GET', '/overview'],
  ['GET', '/health'],
];
const OTHERS: [method: string, path: string][] = [
  ['GET', '/'],
  ['GET', '/openapi.json'],
  ['POST', '/mcp'],
];

const STARTS = [
  '',
  '/c/hr',
  '/c/law',
  '/c/none',
  '/browser',
  '/browser/c/hr',
  '/browser/c/law',
  '/browser/c/none',
];

/** For each caller, the status of a search at each of `STARTS`, from a page of the shop under `/browser`. */
const TABLE: [key: string, statuses: number[]][] = [
  ['none', [401, 401, 401, 401, 401, 401, 401, 401]],
  ['ps_wrong', [401, 401, 401, 401, 401, 401, 401, 401]],
  ['ps_all', [200, 200, 200, 404, 403, 403, 403, 403]],
  ['ps_hr', [403, 200, 403, 403, 403, 403, 403, 403]],
  ['psb_shop', [403, 403, 403, 403, 200, 200, 200, 404]],
  ['psb_shop_hr', [403, 403, 403, 403, 403, 200, 403, 403]],
  ['psb_own', [403, 403, 403, 403, 403, 403, 403, 403]],
  ['psb_lost', [401, 401, 401, 401, 401, 401, 401, 401]],
  ['psb_lost_hr', [401, 401, 401, 401, 401, 401, 401, 401]],
  ['aws', [200, 200, 200, 404, 200, 200, 200, 404]],
];
const cells = TABLE.flatMap(([key, statuses]) =>
  statuses.map((status, i) => [key, STARTS[i]!, status] as const),
);
const originOf = (start: string) => (start.startsWith('/browser') ? SHOP : undefined);

describe.each(cells)('%s at %s', (key, start, status) => {
  test.each(SEARCHES)(`%s %s: ${status}`, async (method, path) => {
    const answer = await send({ key, path: start + path, origin: originOf(start), method });
    expect(answer.status).toBe(status);
    expect(answer.json).not.toContain(`${key}"`);
    // Only the names of keys and of existing collections are logged.
    expect(answer.log.collection).toBe(/^(?:.*\/c\/)(hr|law)$/.exec(start)?.[1]);
    expect(answer.log.key).toBe(key in settings && !key.includes('lost') ? key : undefined);
    expect(JSON.stringify(answer.log)).not.toContain('c/none');
  });

  const other = status !== 401 && key.startsWith('psb_') ? 403 : status;
  test.each(OTHERS)(`%s %s: ${other}`, async (method, path) => {
    expect((await send({ key, path: start + path, origin: originOf(start), method })).status).toBe(other);
  });

  test(`an unknown route: ${status === 200 ? 404 : status}`, async () => {
    const answer = await send({ key, path: `${start}/nothing`, origin: originOf(start) });
    expect(answer.status).toBe(status === 200 ? 404 : status);
  });

  test('a preflight needs no key and reveals no collection', async () => {
    const path = `${start}/search`;
    const expected = key === 'aws' && start.endsWith('none') ? 404 : 204;
    expect((await send({ key, path, origin: originOf(start), method: 'OPTIONS' })).status).toBe(expected);
  });

  test('the page needs no key and reveals no collection', async () => {
    const headers = { accept: 'text/html' };
    const expected = key === 'aws' && start.endsWith('none') ? 404 : 200;
    expect((await send({ key, path: `${start}/`, headers })).status).toBe(expected);
  });
});

describe('the origin of a page', () => {
  test.each<[key: string, origin: string | undefined, headers: Record<string, string>, status: number]>([
    ['psb_shop', SHOP, {}, 200],
    ['psb_shop', undefined, {}, 403],
    ['psb_shop', '', {}, 403],
    ['psb_shop', 'null', {}, 403],
    ['psb_shop', '*', {}, 403],
    ['psb_shop', 'http://shop.example', {}, 403],
    ['psb_shop', `${SHOP}:8443`, {}, 403],
    ['psb_shop', `${SHOP}/`, {}, 403],
    ['psb_shop', 'https://www.shop.example', {}, 403],
    ['psb_shop', 'https://shop.example.evil.example', {}, 403],
    ['psb_shop', 'https://evil.example', {}, 403],
    // Listed, but for another key.
    ['psb_shop', BLOG, {}, 403],
    ['psb_own', BLOG, {}, 200],
    // Browsers send no origin with GET to the page's own host, but they say so in another header.
    ['psb_own', ENDPOINT, {}, 200],
    ['psb_own', undefined, { 'sec-fetch-site': 'same-origin' }, 200],
    ['psb_own', undefined, { 'sec-fetch-site': 'same-site' }, 403],
    ['psb_own', undefined, { referer: `${ENDPOINT}/` }, 403],
    ['psb_shop', undefined, { 'sec-fetch-site': 'same-origin' }, 403],
    ['psb_shop', BLOG, { 'sec-fetch-site': 'same-origin' }, 403],
  ])('%s with the origin %o and %o: %i', async (key, origin, headers, status) => {
    const path = '/browser/search?q=x';
    expect((await send({ key, path, origin, headers })).status).toBe(status);
    // Listing the origin in `cors` does not widen a key.
    const wide = await send({ key, path, origin, headers }, { origins: ['*'] });
    expect(wide.status).toBe(status);
  });

  test('of a browser key is allowed only under /browser', async () => {
    const path = '/search?q=x';
    expect((await send({ key: 'ps_all', path, origin: SHOP })).status).toBe(403);
    expect((await send({ key: 'ps_all', path, origin: SHOP }, { origins: [SHOP] })).status).toBe(200);
    expect((await send({ key: 'none', path: `/browser${path}`, origin: SHOP })).status).toBe(401);
    expect(
      (await send({ key: 'none', path: `/browser${path}`, origin: 'https://evil.example' })).status,
    ).toBe(403);
  });

  test.each(['/browser/search?q=x', '/browser/search', '/browser/c/hr/health', '/browser/nothing'])(
    'is part of what caches must compare at %s',
    async (path) => {
      expect((await send({ key: 'psb_shop', path, origin: SHOP })).headers.vary).toBe('origin');
    },
  );
});

test.each<[Sent, string]>([
  [
    { key: 'psb_shop', path: '/search?q=x' },
    'This is a browser key. Use it at paths that start with /browser, such as /browser/search.',
  ],
  [
    { key: 'psb_shop', path: '/browser/search?q=x' },
    'This is a browser key, but the request has no Origin header. Browsers send it; programs need a secret key.',
  ],
  [
    { key: 'psb_shop', path: '/browser/search?q=x', origin: BLOG },
    'Pages of the origin "https://blog.example" may not use this browser key. Add the origin to the key in cdk.json, or create another key.',
  ],
  [
    { key: 'psb_shop', path: '/browser/openapi.json', origin: SHOP },
    'This is a browser key, which may only use /search, /passages, /overview and /health. Use a secret key here.',
  ],
  [
    { key: 'ps_all', path: '/browser/search?q=x', origin: SHOP },
    'This key is secret, but /browser is for pages, whose keys are public. Create a browser key with npx polyseek key NAME --origin ORIGIN. If a page contains this key, revoke it.',
  ],
  [{ key: 'ps_hr', path: '/search?q=x' }, 'This key may only use /c/hr.'],
  [
    { key: 'ps_all', path: '/c/none/search?q=x' },
    'There is no such collection. GET / lists the collections.',
  ],
])('%o is refused with the reason', async (sent, detail) => {
  expect(JSON.parse((await send(sent)).json)).toMatchObject({ detail });
});

test('without keys, /browser has all routes, for the origins of cors', async () => {
  for (const [method, path] of [...SEARCHES, ...OTHERS]) {
    for (const start of ['', '/browser', '/c/hr', '/browser/c/hr']) {
      const sent = { key: 'none', path: start + path, method };
      const open = { apiKeys: undefined };
      expect((await send(sent, open)).status).toBe(200);
      expect((await send({ ...sent, origin: SHOP }, open)).status).toBe(403);
      expect((await send({ ...sent, origin: SHOP }, { ...open, origins: [SHOP] })).status).toBe(200);
    }
  }
});

test.each<[string, string, string[] | undefined]>([
  ['ps_all', '/', ['/c/hr', '/c/law']],
  ['ps_all', '/c/law/', ['/c/hr', '/c/law']],
  ['ps_hr', '/c/hr/', ['/c/hr']],
  ['aws', '/', ['/c/hr', '/c/law']],
])('%s at %s learns of the collections %o', async (key, path, listed) => {
  expect(JSON.parse((await send({ key, path })).json).collections).toEqual(listed);
});

test('an endpoint without collections does not mention them', async () => {
  const { json } = await send({ key: 'ps_all', path: '/' }, { collections: new Map() });
  expect(JSON.parse(json)).not.toHaveProperty('collections');
});
