import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import type { App, HttpRequest } from '../../../functions/search/http.ts';
import { createAppServer, withCors, withQueue } from '../../../functions/search/listener.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import type { SearchRequest } from '../../../index/search/answer.ts';
import { runs } from '../../fixtures/runs.ts';
import { addressOf, defaults, request } from './ask.ts';
import { anyId, DOT_SEGMENTS, oddIds, PassagesDouble, SearchDouble } from './search-double.ts';

const id = 'guides/passports.md#2';

/** A search that the test can interrupt. */
class SlowDouble extends SearchDouble {
  meanwhile = async (): Promise<void> => {};

  override async search(request: SearchRequest) {
    await this.meanwhile();
    return super.search(request);
  }
}

const search = new SlowDouble();
const log: LogEntry[] = [];
const server = createAppServer(createApp(search, { log: (entry) => log.push(entry), origins: ['*'] }));
let url: string;
const open = (to = server) => connect((to.address() as AddressInfo).port, '127.0.0.1');

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** Sends this text to a server. Returns everything until the server closes the connection. */
async function raw(request: string, to = server) {
  const socket = open(to);
  socket.write(request);
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body, text: answer };
}

const rawRequest = (target: string, ...headers: string[]) =>
  [`GET ${target} HTTP/1.1`, 'Connection: close', ...headers, '', ''].join('\r\n');

const get = (target: string, ...headers: string[]) => raw(rawRequest(target, ...headers));

describe('a request over HTTP', () => {
  test('GET returns a content length', async () => {
    const response = await fetch(`${url}/search?q=x%20%C3%A9`);
    const answer = await response.text();
    expect(response.status).toBe(200);
    expect(JSON.parse(answer)).toMatchObject({ q: 'x é' });
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(answer)));
    expect(response.headers.get('x-request-id')).toBe(log.at(-1)?.requestId);
  });

  test('POST is read in any chunks', async () => {
    const bytes = Buffer.from('{"q":"é😀"}');
    const body = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const response = await fetch(`${url}/search`, { method: 'POST', body, duplex: 'half' });
    expect(response.status).toBe(200);
    expect(search.requests.at(-1)).toEqual({ q: 'é😀', ...defaults });
  });

  test('HEAD and OPTIONS have no body, and the connection can be reused', async () => {
    const lines = (method: string, more = '') => `${method} /health HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const { body, head } = await raw(
      lines('HEAD') + lines('OPTIONS') + lines('DELETE', 'Connection: close\r\n'),
    );
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).not.toMatch(/content-length|transfer-encoding/i);
    expect(body).toMatch(/^HTTP\/1\.1 204 No Content\r\nallow: GET, HEAD, OPTIONS\r\n/);
    const statuses = log.slice(-3).map((entry) => entry.status);
    expect(statuses.sort()).toEqual([200, 204, 405]);
  });

  test.each([
    ['POST', 413],
    ['PUT', 405],
  ])('%s of a long body returns %i, and the next request on the connection works', async (method, status) => {
    const long = 8 * 1024 * 1024;
    const head = `${method} /search HTTP/1.1\r\nHost: a\r\nContent-Length: ${long}\r\n\r\n`;
    const next = 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const { text } = await raw(head + ' '.repeat(long) + next);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, code]) => Number(code));
    expect(statuses).toEqual([status, 200]);
  });
});

describe('addresses', () => {
  const servers = async (target: string, ...headers: string[]) =>
    JSON.parse((await get(target, ...headers)).body).servers[0].url;

  test('in answers start with the requested host', async () => {
    expect(await servers('/openapi.json', 'Host: search.example.org')).toBe('http://search.example.org');
    expect(await servers('/openapi.json', 'Host: [::1]:8787')).toBe('http://[::1]:8787');
    expect(await servers('HTTP://a.example/openapi.json', 'Host: A.example')).toBe('http://a.example');
  });

  test('in answers ignore paths sent by a caller', async () => {
    expect(await servers('/openapi.json', 'Host: a', 'X-Forwarded-Prefix: /elsewhere')).toBe('http://a');
  });

  test.each([
    ['/search?q=x', 'Host: a b'],
    ['/search?q=x', 'Host: a/b'],
    ['/search?q=x', 'Host: a@b'],
    ['/search?q=x', 'Host: a:99999'],
    ['/search?q=x', 'Host: '],
    ['*', 'Host: a'],
    ['ftp://a/search?q=x', 'Host: a'],
    ['http://', 'Host: a'],
    // The check of the host must not depend on which of the two is read.
    ['http://evil.example/health', 'Host: a'],
    ['http://a/health', 'Host: evil.example'],
    ['https://a/health', 'Host: a'],
    ['http://a.evil.example/health', 'Host: a'],
  ])('%s with %s is a bad request', async (target, host) => {
    expect((await get(target, host)).status).toBe(400);
  });

  test.each([
    [`/passages/${encodeURIComponent(id)}`, 200],
    ['//search?q=x', 404],
    ['/passages/%', 404],
    ['/passages/%FF', 404],
    ...DOT_SEGMENTS.map((target): [string, number] => [target, 404]),
  ])('%s answers %i', async (target, status) => {
    expect((await get(target, 'Host: a')).status).toBe(status);
  });

  test('any id reaches the search unchanged', async () => {
    const passages = new PassagesDouble();
    const other = createAppServer(createApp(passages, { log: () => {} }));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    await fc.assert(
      fc.asyncProperty(anyId(), async (text) => {
        await raw(rawRequest(`/passages/${encodeURIComponent(text)}`, 'Host: localhost'), other);
        expect(passages.ids.pop()).toBe(text);
      }),
      { numRuns: runs(50), examples: oddIds.map((text): [string] => [text]) },
    );
    other.close();
  });
});

test('a repeated key is refused', async () => {
  const apiKeys = new Map([['chatbot', { digest: digestOf('ps_key') }]]);
  const locked = createAppServer(createApp(new SearchDouble(), { apiKeys, origins: ['*'], log: () => {} }));
  await once(locked.listen(0, '127.0.0.1'), 'listening');
  const status = async (...headers: string[]) =>
    (await raw(rawRequest('/search?q=x', 'Host: a', ...headers), locked)).status;
  try {
    for (const header of ['Authorization: Bearer ps_key', 'X-Api-Key: ps_key']) {
      expect(await status(header)).toBe(200);
      expect(await status(header, header)).toBe(401);
    }
  } finally {
    locked.close();
  }
});

describe('a client that disconnects', () => {
  async function logged(count: number): Promise<void> {
    await expect.poll(() => log.length).toBe(count);
  }

  test('before its answer does not stop the server', async () => {
    const before = log.length;
    const connected = once(server, 'connection');
    const socket = open();
    const [connection]: Socket[] = await connected;
    search.meanwhile = () =>
      new Promise((resolve) => {
        connection!.once('close', () => resolve());
        socket.resetAndDestroy();
      });
    socket.write('GET /search?q=x HTTP/1.1\r\nHost: a\r\n\r\n');
    await logged(before + 1);
    search.meanwhile = async () => {};
    expect(log.at(-1)).toMatchObject({ route: '/search', status: 200 });
    expect((await fetch(`${url}/search?q=x`)).status).toBe(200);
  });

  test('during its body does not stop the server', async () => {
    const before = log.length;
    const asked = once(server, 'request');
    const socket = open();
    socket.write('POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"q":');
    await asked;
    socket.resetAndDestroy();
    await logged(before + 1);
    expect(log.at(-1)).toMatchObject({ level: 'INFO', route: '/search', status: 499 });
    expect(log.at(-1)).not.toHaveProperty('error');
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

const queuedRequest = (requestId: string): HttpRequest => ({
  method: 'GET',
  ...addressOf('http://localhost/search?q=a'),
  headers: {},
  body: [],
  requestId,
});

describe('the queue', () => {
  test('requests start one after the other, in order, without waiting for answers', async () => {
    const started: string[] = [];
    const answers = new Map<string, () => void>();
    const app: App = ({ requestId }) => {
      started.push(requestId);
      return new Promise((resolve) =>
        answers.set(requestId, () => resolve({ status: 200, headers: {}, body: requestId })),
      );
    };
    const queued = withQueue(app);
    const all = ['a', 'b', 'c'].map((id) => queued(queuedRequest(id)));
    expect(started).toEqual([]);
    await expect.poll(() => started).toEqual(['a', 'b', 'c']);
    for (const id of ['c', 'a', 'b']) answers.get(id)!();
    expect((await Promise.all(all)).map(({ body }) => body)).toEqual(['a', 'b', 'c']);
  });

  test('more requests than may wait are refused at once, and later ones are answered', async () => {
    const app: App = async () => ({ status: 200, headers: {}, body: '' });
    const queued = withQueue(app, 3);
    const answers = await Promise.all(Array.from({ length: 5 }, (_, i) => queued(queuedRequest(`r${i}`))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503, 503]);
    const { headers, body } = answers[4]!;
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '1',
      'x-request-id': 'r4',
    });
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: 'Too many questions wait for an answer. Try again in a second.',
      requestId: 'r4',
    });
    expect((await queued(queuedRequest('later'))).status).toBe(200);
  });

  test('a failure of one request does not stop the others', async () => {
    const app: App = async ({ requestId }) => {
      if (requestId === 'bad') throw new Error('broken');
      return { status: 200, headers: {}, body: '' };
    };
    const queued = withQueue(app);
    const [bad, good] = await Promise.allSettled([
      queued(queuedRequest('bad')),
      queued(queuedRequest('good')),
    ]);
    expect(bad.status).toBe('rejected');
    expect(good.status).toBe('fulfilled');
  });
});

const APP = 'https://app.example';
const locked = { log: () => {}, apiKeys: new Map([['bot', { digest: digestOf('ps_key') }]]) };

/** The CORS headers of an answer, and its `vary`. */
async function corsHeaders(origins: string[], path: string, init: RequestInit) {
  const app = withCors(createApp(new SearchDouble(), { ...locked, origins }), origins);
  const { status, headers } = await request(app, path, init);
  const listed = [...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary');
  return { status, ...Object.fromEntries(listed) };
}

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST' },
});

describe('CORS', () => {
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
    const app = createApp(new SearchDouble(), { ...locked, origins: [APP] });
    const { headers } = await request(app, '/search', preflight(APP));
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});
