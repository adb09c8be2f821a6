import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { type LogEntry, metricsOf, writeEntry } from '../../../functions/search/log.ts';
import { Unavailable } from '../../../index/store/store.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { post, request } from './ask.ts';
import { failingSearch, SearchDouble, UNAVAILABLE, unavailableSearch } from './search-double.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('a failing search', () => {
  test.each(['/search?q=x', '/passages/x'])(
    '%s returns 500 with the request id and without internals',
    async (path) => {
      const log: LogEntry[] = [];
      const app = createApp(failingSearch, { log: (entry) => log.push(entry) });
      const response = await request(app, path);
      expect(response.status).toBe(500);
      const requestId = response.headers.get('x-request-id');
      expect(requestId).toMatch(uuid);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: `The search failed. The log contains the cause under request ${requestId}.`,
        requestId,
      });
      expect(log).toMatchObject([{ level: 'ERROR', status: 500, requestId }]);
      expect(log[0]!.error).toMatch(/^Error: secret path [\s\S]*search-double/);
    },
  );

  test('an unreadable index also returns 500', async () => {
    const search = Promise.reject(new Error('no index'));
    search.catch(() => {});
    const app = createApp(search, { log: () => {} });
    const response = await request(app, '/health');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('no index');
  });
});

describe('a store that cannot be read now', () => {
  test.each(['/search?q=x', '/passages/x', '/overview'])(
    '%s returns 503 with the time of the next try, and logs the cause',
    async (path) => {
      const log: LogEntry[] = [];
      const app = createApp(unavailableSearch, { log: (entry) => log.push(entry) });
      const response = await request(app, path);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      const requestId = response.headers.get('x-request-id');
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: UNAVAILABLE,
        requestId,
      });
      expect(log).toMatchObject([{ level: 'ERROR', status: 503, requestId }]);
      expect(log[0]!.error).toContain('secret bucket');
    },
  );

  test('returns 503 while it is opened, too', async () => {
    const search = Promise.reject(new Unavailable(UNAVAILABLE));
    search.catch(() => {});
    expect((await request(createApp(search, { log: () => {} }), '/health')).status).toBe(503);
  });
});

describe('the log', () => {
  async function logged(path: string, init: RequestInit = {}, options = {}) {
    const log: LogEntry[] = [];
    const app = createApp(new SearchDouble(), { log: (entry) => log.push(entry), ...options });
    const response = await request(app, path, init);
    expect(log).toHaveLength(1);
    const { timestamp, ms, requestId, ...rest } = log[0]!;
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(requestId).toBe(response.headers.get('x-request-id'));
    return rest;
  }

  const searched = { k: 10, mode: 'hybrid', embedMs: 3, searchMs: 1 };

  test('of a search has its measurements, but not its question', async () => {
    expect(await logged('/search?q=private')).toEqual({
      level: 'INFO',
      method: 'GET',
      route: '/search',
      status: 200,
      ...searched,
      results: 1,
      verdict: 'answered',
      answered: true,
      topConfidence: 0.75,
    });
  });

  test('of a search without results has no confidence', async () => {
    const line = await logged('/search', post({ q: 'nothing', k: 5 }));
    expect(line).toEqual({
      level: 'INFO',
      method: 'POST',
      route: '/search',
      status: 200,
      ...searched,
      k: 5,
      results: 0,
      verdict: 'none',
      answered: false,
    });
  });

  test.each([
    ['perhaps', 'possible'],
    ['unlikely', 'none'],
  ])('of a search for %j has the verdict %s', async (q, verdict) => {
    expect(await logged(`/search?q=${q}`)).toMatchObject({ verdict, answered: false });
  });

  test('contains the question if the setting is on', async () => {
    expect(await logged('/search?q=private', {}, { logQuestions: true })).toMatchObject({ q: 'private' });
  });

  test.each([
    ['GET', '/passages/guides%2Fprivate', '/passages/:id', 404],
    ['HEAD', '/health', '/health', 200],
    ['DELETE', '/search?q=private', '/search', 405],
    ['GET', '/search?q=x&k=private', '/search', 400],
    ['GET', '/private', '/*', 404],
  ])('of %s %s contains the route instead of the path', async (method, path, route, status) => {
    expect(await logged(path, { method })).toEqual({ level: 'INFO', method, route, status });
  });

  describe('with API keys', () => {
    const key = 'ps_secret';
    const apiKeys = new Map([['chatbot', { digest: digestOf(key) }]]);

    test('contains the name of the key for every kind of answer, but not the key', async () => {
      const headers = { 'x-api-key': key };
      const found = await logged('/search?q=x', { headers }, { apiKeys });
      expect(found).toMatchObject({ key: 'chatbot', answered: true });
      expect(await logged('/search?k=0', { headers }, { apiKeys })).toMatchObject({
        key: 'chatbot',
        status: 400,
      });
      expect(await logged('/nothing', { headers }, { apiKeys })).toMatchObject({
        key: 'chatbot',
        status: 404,
      });
      expect(JSON.stringify(found)).not.toContain(key);
    });

    test.each([
      ['/search?q=private', '/search'],
      ['/passages/guides%2Fprivate', '/passages/:id'],
      ['/private', '/*'],
    ])('of a request without a valid key to %s contains the route, but no content', async (path, route) => {
      const headers = { 'x-api-key': 'ps_wrong' };
      const refused = { level: 'INFO', method: 'GET', route, status: 401 };
      expect(await logged(path, { headers }, { apiKeys })).toEqual(refused);
      expect(await logged(path, {}, { apiKeys })).toEqual(refused);
    });
  });

  test('has one line of JSON per entry', () => {
    const path = join(temporaryFolder(), 'log');
    const file = openSync(path, 'w');
    const q = 'two\nlines\r\u0085\u2028\u2029 \x1b[2J\x7f\x9b31m';
    writeEntry({ q, error: undefined }, file);
    closeSync(file);
    const written = readFileSync(path, 'utf8');
    expect(written).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(written)).toEqual({ q });
  });

  test('is written by Node’s stream if the file descriptor fails', () => {
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const closed = openSync(join(temporaryFolder(), 'log'), 'w');
    closeSync(closed);
    writeEntry({ q: 'x' }, closed);
    const written = write.mock.calls.map(([text]) => text);
    write.mockRestore();
    expect(written).toEqual(['{"q":"x"}\n']);
  });
});

describe('the metrics', () => {
  const entry = { timestamp: '2026-01-02T03:04:05.678Z', level: 'INFO', status: 200 } as LogEntry;
  const count = (value: number) => ({ unit: 'Count', value });

  test.each([
    ['answered', 0, 0],
    ['possible', 1, 0],
    ['none', 0, 1],
  ] as const)('of the verdict %s count %i possible and %i unanswered', (verdict, possible, unanswered) => {
    expect(metricsOf({ ...entry, verdict })).toEqual({
      Possible: count(possible),
      Unanswered: count(unanswered),
    });
  });

  test('report a cold start with any request, and nothing of other requests', () => {
    const ColdStart = { unit: 'Milliseconds', value: 210.4 };
    expect(metricsOf(entry, 210.4)).toEqual({ ColdStart });
    expect(Object.keys(metricsOf({ ...entry, verdict: 'none' }, 0))).toEqual([
      'ColdStart',
      'Possible',
      'Unanswered',
    ]);
    expect(metricsOf(entry)).toEqual({});
  });
});
