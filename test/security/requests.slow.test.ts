import crypto from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { digestOf } from '../../functions/search/auth.ts';
import { createHandler } from '../../functions/search/handler.ts';
import { createAppServer, withCors } from '../../functions/search/listener.ts';
import { type LogEntry, writeEntry } from '../../functions/search/log.ts';
import { readTokens } from '../../functions/search/tokens.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { runs } from '../fixtures/runs.ts';
import { addressOf, request } from '../functions/search/ask.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

// Requests of an attacker: what they can learn, write into headers and logs, and cost.

const silent = { log: () => {} };
const KEYS = ['first', 'second', 'third'].map((name) => [name, `ps_${name}`] as const);
const apiKeys = new Map(KEYS.map(([name, key]) => [name, { digest: digestOf(key) }]));
const tokens = readTokens({
  JWT_ISSUER: 'https://login.example',
  JWT_AUDIENCE: 'https://search.example/mcp',
  JWT_SCOPE: 'search read',
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the time of a refusal', () => {
  // No clock is read: a comparison takes the same time for any key if it compares digests of equal length in constant time, and
  // all of them.
  test.each([
    ['the first key', 'ps_first', 200],
    ['the last key', 'ps_third', 200],
    ['a key that differs in the last character', 'ps_thirD', 401],
    ['a text of another length', 'x', 401],
    ['a long text', 'x'.repeat(5_000), 401],
  ])('depends on no key: %s is compared with every digest, in constant time', async (_, sent, status) => {
    const compared = vi.spyOn(crypto, 'timingSafeEqual');
    const app = createApp(new SearchDouble(), { ...silent, apiKeys });
    const response = await request(app, '/search?q=x', { headers: { 'x-api-key': sent } });
    expect(response.status).toBe(status);
    const digest = crypto.createHash('sha256').update(sent).digest();
    expect(compared.mock.calls.map((pair) => pair.map((bytes) => Buffer.from(bytes as Uint8Array)))).toEqual(
      KEYS.map(([, key]) => [digest, crypto.createHash('sha256').update(key).digest()]),
    );
  });

  test('is the same for an existing and a missing collection, route or passage', async () => {
    const collections = new Map([['hr', async () => new SearchDouble()]]);
    const app = createApp(new SearchDouble(), { ...silent, apiKeys, collections });
    const answers = [
      '/c/hr/search?q=x',
      '/c/none/search?q=x',
      '/none',
      '/passages/guides%2Fpassports.md%232',
    ];
    const bodies = await Promise.all(
      answers.map(async (path) => {
        const { requestId: _, ...problem } = (await (await request(app, path)).json()) as Record<
          string,
          unknown
        >;
        return problem;
      }),
    );
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect(bodies[0]).toMatchObject({ status: 401 });
  });
});

describe('headers of answers', () => {
  const lambda = createHandler(
    createApp(new SearchDouble(), { ...silent, apiKeys, tokens, origins: ['https://app.example'] }),
  );

  test('contain no line end, control character or quotation mark of a caller, in the function', async () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('\r', '\n', '"', '\\', ' ', ',', '/', ':', 'a', '\u2028', 'é', '\0'),
      }),
    );
    const start = fc.constantFrom(
      '/',
      '/mcp',
      '/c/',
      '/browser/c/',
      '/.well-known/oauth-protected-resource',
      '/widget.js',
    );
    const headers = fc.record(
      Object.fromEntries(
        [
          'origin',
          'authorization',
          'x-api-key',
          'x-polyseek-host',
          'accept',
          'accept-encoding',
          'if-none-match',
        ].map((name) => [name, any]),
      ),
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        start,
        any,
        any,
        headers,
        fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD', 'a\r\nb'),
        async (first, path, query, sent, method) => {
          const event = {
            rawPath: first + path,
            rawQueryString: query,
            headers: sent,
            requestContext: { domainName: 'search.example', http: { method } },
          };
          const answered = (await lambda(event)) as { statusCode: number; headers: Record<string, string> };
          expect(answered.statusCode).toBeLessThan(500);
          for (const [name, value] of Object.entries(answered.headers)) {
            expect(name).toMatch(/^[a-z-]+$/);
            expect(value).toMatch(/^[\x20-\x7e]*$/);
          }
          const challenge = answered.headers['www-authenticate'];
          // Each parameter is still one quoted string (RFC 9110, 11.2).
          if (challenge !== undefined) expect(challenge).toMatch(/^Bearer( \w+="[^"\\]*",?)*$/);
        },
      ),
      { numRuns: runs(2_000) },
    );
  });

  test('survive any byte in a header and a path, in the local server', async () => {
    const app = withCors(createApp(new SearchDouble(), { ...silent, apiKeys, tokens, origins: ['*'] }), [
      '*',
    ]);
    const server = createAppServer(app);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    /** The statuses of the answers to these bytes. */
    async function sent(bytes: Buffer): Promise<string> {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      const answer = await text(socket);
      return answer.match(/^HTTP\/1\.1 \d+/gm)?.join() ?? '';
    }
    for (let byte = 0; byte < 256; byte++) {
      const one = Buffer.from([byte]);
      for (const name of [
        'Origin',
        'Authorization',
        'X-Api-Key',
        'Access-Control-Request-Method',
        'Content-Type',
      ]) {
        const head = `OPTIONS /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${name}: a`;
        const status = await sent(Buffer.concat([Buffer.from(head), one, Buffer.from('b\r\n\r\n')]));
        expect(status).toMatch(/^HTTP\/1\.1 (204|400)$/);
      }
      const start = Buffer.from('GET /search?q=a');
      const rest = Buffer.from('b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      expect(await sent(Buffer.concat([start, one, rest]))).toMatch(/^HTTP\/1\.1 (401|400)$/);
    }
    const alive = await fetch(`http://127.0.0.1:${port}/widget.js`);
    expect(alive.status).toBe(200);
    server.close();
    server.closeAllConnections();
  });
});

describe('the log', () => {
  test('has one line for each request, whatever it contains, even with questions', async () => {
    const path = join(temporaryFolder(), 'log');
    const file = openSync(path, 'w');
    const entries: LogEntry[] = [];
    const log = (entry: LogEntry) => {
      entries.push(entry);
      writeEntry(entry, file);
    };
    const app = createApp(new SearchDouble(), { log, logQuestions: true, apiKeys });
    const hostile = fc.string({
      unit: fc.constantFrom('\n', '\r', '\x1b', '\x9b', '\x85', '\u2028', '"', '}', '{', 'a'),
    });
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (q, path) => {
        const address = `/search?${new URLSearchParams({ q })}`;
        await request(app, address, { headers: { 'x-api-key': 'ps_first' } });
        await request(app, `/${encodeURIComponent(path)}`, {});
      }),
    );
    closeSync(file);
    const lines = readFileSync(path, 'utf8').split(/\r\n|[\n\r\x85\u2028\u2029]/u);
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      entries.map((entry) => JSON.parse(JSON.stringify(entry))),
    );
    expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/);
  });
});

describe('a request that should cost much', () => {
  const search = new SearchDouble();
  const app = createApp(search, { ...silent, tokens, apiKeys, origins: ['https://app.example'] });
  const headers = { 'x-api-key': 'ps_first', 'content-type': 'application/json' };
  const send = (body: Uint8Array<ArrayBuffer> | string, more: Record<string, string> = {}) =>
    request(app, '/search', { method: 'POST', body, headers: { ...headers, ...more } });

  // 60 MB in less than 64 KB.
  const bomb = gzipSync(Buffer.alloc(60 * 2 ** 20, ' '));

  test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip'])(
    'with a compressed body (%s) is refused without decompressing it',
    async (encoding) => {
      const response = await send(new Uint8Array(bomb), { 'content-encoding': encoding });
      expect(response.status).toBe(400);
      expect(((await response.json()) as { detail: string }).detail).toBe(
        'The body is not valid UTF-8. Send JSON in UTF-8.',
      );
    },
  );

  test.each<[string, string, number]>([
    ['numbers that are too large', '{"q":"x","k":1e400}', 400],
    ['a number of 60,000 digits', `{"q":"x","k":${'9'.repeat(60_000)}}`, 400],
    ['an exponent of 60,000 digits', `{"q":"x","k":1e${'9'.repeat(60_000)}}`, 400],
    ['a field given many times', `{${'"q":"a",'.repeat(7_000)}"q":"b"}`, 200],
    ['many fields', `{"q":"x"${Array.from({ length: 5_000 }, (_, i) => `,"a${i}":1`).join('')}}`, 400],
    ['nested lists', `{"q":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400],
    ['nested objects', `{"q":"x","filter":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, 400],
    ['a prototype', '{"q":"x","__proto__":{"k":5}}', 400],
    ['a filter on a prototype', '{"q":"x","filter":{"__proto__":"x"}}', 400],
    ['a constructor', '{"q":"x","constructor":{"prototype":{"k":5}}}', 400],
    ['a long question', JSON.stringify({ q: 'x'.repeat(60_000) }), 400],
    ['a question of combining marks', JSON.stringify({ q: `a${'\u0301'.repeat(3_000)}` }), 400],
    ['a question of spaces', JSON.stringify({ q: ' '.repeat(60_000) }), 400],
    [
      'a long history',
      JSON.stringify({ q: 'x', history: Array(1_000).fill({ role: 'user', content: 'a' }) }),
      400,
    ],
  ])('because of %s is answered or refused', async (_, body, status) => {
    const before = search.requests.length;
    expect((await send(body)).status).toBe(status);
    expect(search.requests.length - before).toBe(status === 200 ? 1 : 0);
    expect(({} as { k?: unknown }).k).toBeUndefined();
  });

  test('has no expression that is slow for long texts', async () => {
    // A quadratic expression would take minutes for these lengths, which no gateway lets through.
    const long = 200_000;
    const parts = [
      ' ',
      '\t',
      'a',
      'gzip',
      'gzip ;',
      'q=0',
      'bearer ',
      '.',
      'a.',
      '/',
      '%',
      '%4',
      '%41',
      ',',
      ';',
      '"',
      '\\',
      'a+',
      '-',
      '1',
      '1e',
      '\u2028',
    ];
    const started = performance.now();
    for (const part of parts) {
      const value = part.repeat(long / part.length);
      for (const [name, from] of [
        ['authorization', 'Bearer '],
        ['authorization', 'bearer'],
        ['x-api-key', ''],
        ['accept', ''],
        ['accept-encoding', 'gzip'],
        ['content-type', 'application/'],
        ['if-none-match', ''],
        ['origin', 'https://'],
      ] as const) {
        for (const path of ['/', '/widget.js', '/search?q=x'])
          await app({
            method: path.startsWith('/search') ? 'POST' : 'GET',
            ...addressOf(`https://search.example${path}`),
            headers: { accept: 'text/html', [name]: `${from}${value}\u2028` },
            body: [],
            requestId: 'r',
          });
      }
      for (const path of ['/', '/c/', '/browser', '/.well-known/oauth-protected-resource/', '/passages/'])
        await app({
          method: 'GET',
          ...addressOf(
            `https://search.example${path}${encodeURI(value).slice(0, long)}?k=${encodeURIComponent(value).slice(0, long)}`,
          ),
          headers: { 'x-api-key': 'ps_first' },
          body: [],
          requestId: 'r',
        });
    }
    expect(performance.now() - started).toBeLessThan(60_000);
  });
});
