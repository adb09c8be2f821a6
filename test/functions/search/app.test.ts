import { object, parse, string } from 'valibot';
import { describe, expect, test } from 'vitest';
import { type AppOptions, createApp } from '../../../functions/search/app.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import { post, request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const id = 'guides/passports.md#2';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const open = (options: AppOptions = {}) => ({
  app: createApp(new SearchDouble(), { log: () => {}, ...options }),
});

describe('routes', () => {
  test('GET /search and POST /search return the same answer', async () => {
    const { app } = open();
    const got = await request(app, '/search?q=passport&lang=en');
    const posted = await request(app, '/search', post({ q: 'passport', lang: 'en' }));
    const answer = await got.json();
    expect(answer).toEqual(await new SearchDouble().search({ q: 'passport', k: 10, mode: 'hybrid' }));
    expect(await posted.json()).toEqual(answer);
  });

  test('a lone surrogate is returned unchanged', async () => {
    const response = await request(open().app, '/search', post({ q: '\ud800\0' }));
    expect(await response.json()).toMatchObject({ q: '\ud800\0' });
  });

  test.each([
    ['encoded', encodeURIComponent(id)],
    ['with an unescaped slash', 'guides/passports.md%232'],
  ])('GET /passages/:id with the id %s', async (_, path) => {
    const response = await request(open().app, `/passages/${path}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(await new SearchDouble().passage(id));
  });

  test('GET /passages/:id with surrounding passages', async () => {
    const response = await request(open().app, `/passages/${encodeURIComponent(id)}?context=1`);
    expect(await response.json()).toEqual(await new SearchDouble().passage(id, 1));
  });

  test.each([
    ['', '/#p='],
    ['/c/hr', '/c/hr/#p='],
    ['/c/a%0d%0aset-cookie:%20x', '/c/a%0D%0Aset-cookie:%20x/#p='],
  ])('GET %s/passages/:id leads browsers to the page, without a key', async (prefix, place) => {
    const { app } = open({ apiKeys: new Map() });
    const address = `${prefix}/passages/${encodeURIComponent(id)}`;
    const response = await request(app, address, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(place + encodeURIComponent(id));
    expect(response.headers.get('vary')).toBe('accept');
    expect((await request(app, address)).status).toBe(401);
  });

  test.each([
    ['context=6', 'context is 6, but must be a whole number from 0 to 5.'],
    ['k=6', 'Unknown parameter "k". The parameters are context.'],
  ])('GET /passages/:id refuses %s', async (query, detail) => {
    const response = await request(open().app, `/passages/${encodeURIComponent(id)}?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail });
  });

  test.each(['nothing', `${encodeURIComponent(id)}%252F`, '%00', '%0A', '%', '%FF', 'a/'])(
    'GET /passages/%s is not found',
    async (path) => {
      const response = await request(open().app, `/passages/${path}`);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        status: 404,
        title: 'Not Found',
        detail: 'No passage has this id. Its document may have changed: search again.',
      });
    },
  );

  test.each([
    [{ logQuestions: true }, { q: 'passport', helpful: false }],
    [{}, { helpful: false }],
  ])('POST /feedback logs whether an answer helped: %j', async (options, logged) => {
    const log: LogEntry[] = [];
    const { app } = open({ ...options, feedback: true, log: (entry) => log.push(entry) });
    const response = await request(app, '/feedback', post({ q: ' passport ', helpful: false }));
    expect([response.status, await response.json()]).toEqual([200, { helpful: false }]);
    const [{ q, helpful, route } = {} as LogEntry] = log;
    expect([route, { helpful, ...(q !== undefined && { q }) }]).toEqual(['/feedback', logged]);
    expect(await (await request(app, '/overview')).json()).toMatchObject({ takesFeedback: true });
    expect(await (await request(app, '/')).json()).toMatchObject({
      routes: expect.arrayContaining(['POST /feedback']),
    });
  });

  test.each([
    [{ q: 'x' }, 'helpful is missing. The fields are q, helpful.'],
    [{ helpful: true }, 'q is missing. Add your question, as in {"q":"Is slavery allowed","helpful":true}.'],
    [{ q: 'x', helpful: true, id: 1 }, 'Unknown field "id". The fields are q, helpful.'],
  ])('POST /feedback refuses %j', async (body, detail) => {
    const response = await request(open({ feedback: true }).app, '/feedback', post(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail });
  });

  test('there is no feedback unless it is on', async () => {
    const { app } = open();
    expect((await request(app, '/feedback', post({ q: 'x', helpful: true }))).status).toBe(404);
    expect(await (await request(app, '/overview')).json()).not.toHaveProperty('takesFeedback');
  });

  test('GET /health', async () => {
    const response = await request(open().app, '/health');
    expect(await response.json()).toEqual({
      status: 'ok',
      index: { version: 'v1', passages: 1, model: 'double' },
    });
  });

  test('GET / links to a question and to the OpenAPI document, and both links work', async () => {
    const { app } = open();
    const response = await request(app, 'https://search.example.org/');
    const home = parse(object({ example: string(), openapi: string() }), await response.json());
    expect(home.example).toBe('https://search.example.org/search?q=QUESTION');
    expect(home.openapi).toBe('https://search.example.org/openapi.json');
    expect((await request(app, home.example)).status).toBe(200);
    expect((await request(app, home.openapi)).status).toBe(200);
  });

  test('the app waits for a search that is still opening', async () => {
    const app = createApp(Promise.resolve(new SearchDouble()), { log: () => {} });
    expect((await request(app, '/health')).status).toBe(200);
  });

  test.each(['/nothing', '/search/more', '/passages', '/passages/', '/favicon.ico'])(
    'GET %s is not found',
    async (path) => {
      const response = await request(open().app, path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'Not found. GET / lists the routes.',
      });
    },
  );
});

describe('methods', () => {
  const gets = 'GET, HEAD, OPTIONS';
  const routes = [
    ['/', gets],
    ['/search', 'GET, HEAD, POST, OPTIONS'],
    ['/passages/x', gets],
    ['/health', gets],
    ['/overview', gets],
    ['/mcp', 'POST, OPTIONS'],
    ['/openapi.json', gets],
  ];

  test.each(routes)('%s allows %s', async (path, allow) => {
    const { app } = open();
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
      if (allow.includes(method)) continue;
      const response = await request(app, path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe(allow);
      expect(await response.json()).toMatchObject({
        title: 'Method Not Allowed',
        detail: `${method} is not supported here. Use one of ${allow}.`,
      });
    }
    const options = await request(app, path, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe(allow);
    expect(await options.text()).toBe('');
  });

  test.each(['/', '/search?q=x', `/passages/${encodeURIComponent(id)}`, '/health', '/openapi.json'])(
    'HEAD %s has the headers of GET without a body',
    async (path) => {
      const { app } = open();
      const [head, get] = await Promise.all(['HEAD', 'GET'].map((method) => request(app, path, { method })));
      expect(head?.status).toBe(200);
      expect(head?.headers.get('content-type')).toBe(get?.headers.get('content-type'));
      expect(await head?.text()).toBe('');
    },
  );
});

test('every answer has a content type, a request id and cache rules', async () => {
  const { app } = open();
  for (const [path, type, cache] of [
    ['/search?q=x', 'application/json; charset=utf-8', 'no-cache'],
    ['/health', 'application/json; charset=utf-8', 'no-cache'],
    ['/search', 'application/problem+json; charset=utf-8', 'no-store'],
    ['/nothing', 'application/problem+json; charset=utf-8', 'no-store'],
  ] as const) {
    const { headers } = await request(app, path);
    expect(headers.get('content-type')).toBe(type);
    expect(headers.get('cache-control')).toBe(cache);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-request-id')).toMatch(uuid);
  }
});
