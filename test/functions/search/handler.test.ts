import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AppOptions, createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { createHandler } from '../../../functions/search/handler.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import { defaults } from './ask.ts';
import { anyId, DOT_SEGMENTS, failingSearch, oddIds, PassagesDouble, SearchDouble } from './search-double.ts';

const id = 'guides/passports.md#2';

const context = { awsRequestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef' };

/** The fields of both kinds of event. */
const shared = (method: string, rawPath: string, rawQueryString: string) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString,
  isBase64Encoded: false,
  headers: { accept: '*/*', 'user-agent': 'curl/8.5.0', 'x-forwarded-proto': 'https' },
  requestContext: {
    accountId: '123456789012',
    requestId: 'JKJaXmPLvHcESHA=',
    routeKey: '$default',
    stage: '$default',
    time: '01/Jan/2026:00:00:00 +0000',
    timeEpoch: 1767225600000,
    http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'curl/8.5.0' },
  },
});

/** An event of an HTTP API. The path starts with the name of a named stage. */
function apiEvent(method: string, path: string, query = '', stage = '$default') {
  const event = shared(method, stage === '$default' ? path : `/${stage}${path}`, query);
  const apiId = 'abcde12345';
  const domainName = `${apiId}.execute-api.eu-central-1.amazonaws.com`;
  return {
    ...event,
    headers: { ...event.headers, host: domainName },
    requestContext: { ...event.requestContext, apiId, domainName, domainPrefix: apiId, stage },
  };
}

/** An event of a Function URL. */
function urlEvent(method: string, path: string, query = '') {
  const event = shared(method, path, query);
  const apiId = 'qwertyuiop123456';
  const domainName = `${apiId}.lambda-url.eu-central-1.on.aws`;
  return {
    ...event,
    headers: { ...event.headers, host: domainName },
    requestContext: { ...event.requestContext, apiId, domainName, domainPrefix: apiId },
  };
}

const withBody = <Event extends { headers: object }>(
  event: Event,
  body: string,
  isBase64Encoded = false,
) => ({
  ...event,
  headers: { ...event.headers, 'content-type': 'application/json' },
  body,
  isBase64Encoded,
});

async function invoke(event: unknown, options: AppOptions = {}) {
  const search = new SearchDouble();
  const result = await createHandler(createApp(search, { log: () => {}, ...options }))(event, context);
  if (!('statusCode' in result)) throw new Error('The result is not an HTTP response.');
  expect(result.isBase64Encoded).toBe(false);
  return { ...result, json: result.body && JSON.parse(result.body), asked: search.requests[0] };
}

describe.each([
  ['HTTP API', apiEvent],
  ['Function URL', urlEvent],
])('an event of a %s', (_, make) => {
  test('GET with an encoded query string and repeated parameters', async () => {
    const query = 'q=Wie+verl%C3%A4ngere+ich%20%F0%9F%9B%82%3F&lang=de&lang=en&k=3';
    const { statusCode, headers, json, asked } = await invoke(make('GET', '/search', query));
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['x-request-id']).toBe(context.awsRequestId);
    expect(json.q).toBe('Wie verlängere ich 🛂?');
    expect(asked).toEqual({ q: json.q, ...defaults, k: 3, filter: { lang: ['de', 'en'] } });
  });

  test.each([false, true])('POST with a body (Base64: %s)', async (encoded) => {
    const text = JSON.stringify({ q: 'é😀' });
    const body = encoded ? Buffer.from(text).toString('base64') : text;
    const { asked } = await invoke(withBody(make('POST', '/search'), body, encoded));
    expect(asked).toEqual({ q: 'é😀', ...defaults });
  });

  test('POST without a body, and without a content type', async () => {
    expect(await invoke(make('POST', '/search'))).toMatchObject({
      statusCode: 400,
      headers: { 'content-type': 'application/problem+json; charset=utf-8' },
      json: { detail: 'The body is empty. Send JSON such as {"q":"Is slavery allowed"}.' },
    });
    const event = { ...make('POST', '/search'), body: '{"q":"x"}' };
    expect((await invoke(event)).asked).toEqual({ q: 'x', ...defaults });
  });

  test('POST of more than 64 KiB in Base64', async () => {
    const body = Buffer.from(JSON.stringify({ q: 'é'.repeat(40_000) })).toString('base64');
    expect((await invoke(withBody(make('POST', '/search'), body, true))).statusCode).toBe(413);
  });

  test('GET and HEAD ignore a body', async () => {
    expect((await invoke(withBody(make('GET', '/search', 'q=x'), '{"q":"y"}'))).asked?.q).toBe('x');
    expect(await invoke(withBody(make('HEAD', '/health'), 'x'))).toMatchObject({ statusCode: 200, body: '' });
  });

  test.each([
    ['DELETE', '/search', 405],
    ['OPTIONS', '/search', 204],
    ['GET', '/', 200],
    ['GET', '', 200],
    ['GET', '/nothing', 404],
    ['GET', '//search', 404],
    ['GET', '/openapi.json', 200],
  ])('%s %s answers %i', async (method, path, status) => {
    expect((await invoke(make(method, path))).statusCode).toBe(status);
  });

  test('any query string and any body are answered or refused', async () => {
    const text = fc.string({ unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(text, text, fc.boolean(), async (query, body, encoded) => {
        const got = await invoke(make('GET', '/search', query));
        expect([200, 400]).toContain(got.statusCode);
        const sent = encoded ? Buffer.from(body).toString('base64') : body;
        const posted = await invoke(withBody(make('POST', '/search'), sent, encoded));
        expect([200, 400]).toContain(posted.statusCode);
      }),
    );
  });
});

describe('paths', () => {
  test('a named stage is removed from the path', async () => {
    expect((await invoke(apiEvent('GET', '/search', 'q=x', 'prod'))).asked?.q).toBe('x');
    expect((await invoke(apiEvent('GET', '', '', 'prod'))).statusCode).toBe(200);
    expect((await invoke(apiEvent('GET', '/search', 'q=x', 'search'))).asked?.q).toBe('x');
    // With a custom domain, only the context contains the stage.
    const event = apiEvent('GET', '/search', 'q=x', 'prod');
    expect((await invoke({ ...event, rawPath: '/search' })).asked?.q).toBe('x');
    expect((await invoke({ ...event, rawPath: '/production' })).statusCode).toBe(404);
  });

  test('returned addresses contain a named stage', async () => {
    const { json } = await invoke(apiEvent('GET', '/openapi.json', '', 'prod'));
    expect(json.servers).toEqual([{ url: 'https://abcde12345.execute-api.eu-central-1.amazonaws.com/prod' }]);
  });

  test('a caller cannot change the returned addresses', async () => {
    const event = urlEvent('GET', '/openapi.json');
    const headers = { ...event.headers, 'x-forwarded-prefix': '/elsewhere' };
    const { json } = await invoke({ ...event, headers });
    expect(json.servers).toEqual([{ url: 'https://qwertyuiop123456.lambda-url.eu-central-1.on.aws' }]);
  });

  test('an id is found in an encoded path, and in a path decoded by an HTTP API', async () => {
    expect((await invoke(urlEvent('GET', `/passages/${encodeURIComponent(id)}`))).json.id).toBe(id);
    const decoded = await invoke(apiEvent('GET', `/passages/${id}`, 'context=1'));
    expect(decoded.json.id).toBe(id);
    expect(decoded.json.after).toHaveLength(1);
  });

  describe.each([
    // An HTTP API decodes the path, once.
    ['HTTP API', (path: string, query?: string) => apiEvent('GET', decodeURIComponent(path), query)],
    [
      'HTTP API with a stage',
      (path: string, query?: string) => apiEvent('GET', decodeURIComponent(path), query, 'prod'),
    ],
    ['Function URL', (path: string, query?: string) => urlEvent('GET', path, query)],
  ])('of a %s', (_, make) => {
    test('any id reaches the search unchanged', async () => {
      const search = new PassagesDouble();
      const collections = new Map([['hr', async () => search]]);
      const handler = createHandler(createApp(search, { collections, log: () => {} }));
      const start = fc.constantFrom('', '/c/hr', '/browser', '/browser/c/hr');
      await fc.assert(
        fc.asyncProperty(start, anyId(), async (before, text) => {
          await handler(make(`${before}/passages/${encodeURIComponent(text)}`), context);
          expect(search.ids.pop()).toBe(text);
        }),
        {
          examples: oddIds.flatMap((text) =>
            ['', '/browser'].map((before): [string, string] => [before, text]),
          ),
        },
      );
    });

    test.each(DOT_SEGMENTS)('%s leads to no other route', async (target) => {
      const [path = '', query] = target.split('?');
      const collections = new Map([['hr', async () => new SearchDouble()]]);
      const { statusCode, asked } = await invoke(make(path, query), { collections });
      expect(statusCode).toBe(404);
      expect(asked).toBeUndefined();
    });
  });

  test('any decoded path is answered or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (path) => {
        expect([200, 404]).toContain((await invoke(apiEvent('GET', `/passages/${path}`))).statusCode);
      }),
    );
  });
});

test.each([
  {},
  { k: 3 },
  { q: 'x', requestContext: {} },
  { q: 'x', rawPath: '/search' },
  null,
  undefined,
  'q',
  [],
  { requestContext: {} },
  { rawPath: '/search', requestContext: null },
  { path: '/search', httpMethod: 'GET', requestContext: { stage: 'prod' } },
  { rawPath: '/search', requestContext: { http: null } },
  { rawPath: '/search', requestContext: { http: {} } },
  { rawPath: 'search', requestContext: { http: { method: 'GET' } } },
  { rawPath: '/search', headers: null, requestContext: { http: { method: 'GET' } } },
  { rawPath: '/search', headers: { accept: 1 }, requestContext: { http: { method: 'GET' } } },
  { rawPath: '/search', body: {}, requestContext: { http: { method: 'POST' } } },
  { rawPath: '/search', requestContext: { http: { method: 'GET' }, stage: { toString: 1 } } },
])('the event %j is refused', async (event) => {
  const { statusCode, headers, json } = await invoke(event);
  expect(statusCode).toBe(400);
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(json).toEqual({
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail:
      'The event is neither an HTTP request nor a question. Send an HTTP API event (payload format 2.0), a Function URL event, or a direct event such as {"q":"Is slavery allowed"}.',
    requestId: context.awsRequestId,
  });
});

const key = 'ps_key';
const apiKeys = new Map([['chatbot', { digest: digestOf(key) }]]);

describe('a direct event', () => {
  /** The result of a direct event, its search and its log. */
  async function ask(
    event: unknown,
    search = new SearchDouble(),
    lambda: { awsRequestId: string } | undefined = context,
  ) {
    const log: LogEntry[] = [];
    const handler = createHandler(createApp(search, { apiKeys, log: (entry) => log.push(entry) }));
    const outcome = await handler(event, lambda).catch((error: unknown) => error);
    return { outcome, asked: search.requests, log };
  }

  test('has the fields of POST /search, needs no key, and returns the answer itself', async () => {
    const fields = { k: 3, mode: 'semantic', minConfidence: 0.5, context: 1, explain: true, matches: true };
    const event = { q: ' é😀\ud800 ', ...fields, lang: 'de', filter: { year: [2024] } };
    const { outcome, asked, log } = await ask(event);
    const request = { q: 'é😀\ud800', ...fields, mode: 'semantic' as const };
    expect(outcome).toEqual(await new SearchDouble().search(request));
    expect(asked).toEqual([{ ...request, filter: { year: [2024], lang: 'de' } }]);
    expect(log).toMatchObject([
      { level: 'INFO', requestId: context.awsRequestId, route: '/search', status: 200, k: 3, answered: true },
    ]);
    expect(log[0]).not.toHaveProperty('key');
  });

  test('works without a context', async () => {
    const answer = await createHandler(createApp(new SearchDouble(), { log: () => {} }))({ q: 'x' });
    expect(answer).toMatchObject({ q: 'x', answered: true });
  });

  test.each([
    [{ q: '' }, 'q is empty. Add your question, as in {"q":"Is slavery allowed"}.'],
    [{ q: 5 }, 'q is a number, but must be text.'],
    [{ q: null }, 'q is null, but must be text.'],
    [{ q: 'x', k: 500 }, 'k is a number, but must be a whole number from 1 to 100.'],
    [{ q: 'x', k: 'private' }, 'k is a text, but must be a whole number from 1 to 100.'],
    [
      { q: 'x', filter: { private: {} } },
      'filter is an object, but must be text, a number, true, false or a list of one or more of these.',
    ],
    [
      { q: 'x', private: '{}' },
      'Unknown field. The fields are q, k, mode, minConfidence, context, maxCharacters, explain, matches, lang, source, history, filter.',
    ],
    [{ q: 'x', lang: ['a'.repeat(70_000)] }, 'The body is longer than 64 KiB. Send a shorter one.'],
    // Lambda writes the message into its log, so it must not quote the caller.
  ])('%j fails with the message of the refusal, which quotes nothing', async (event, sentence) => {
    const { outcome, asked, log } = await ask(event);
    expect(outcome).toEqual(new Error(sentence));
    expect(asked).toEqual([]);
    expect(log).toMatchObject([{ level: 'INFO', route: '/search' }]);
  });

  test('any value of a field is answered or refused with a message', async () => {
    const event = fc.dictionary(
      fc.constantFrom('k', 'mode', 'filter', 'lang', '__proto__', 'x'),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), event, async (q, rest) => {
        const { outcome, log } = await ask({ ...rest, q });
        if (outcome instanceof Error) expect(outcome.message).toMatch(/^.+ .+\.$/s);
        else expect(outcome).toHaveProperty('answered');
        expect([200, 400]).toContain(log[0]!.status);
      }),
    );
  });

  test('a failure refers to the log, and contains no internals', async () => {
    const log: LogEntry[] = [];
    const app = createApp(failingSearch, { log: (entry) => log.push(entry) });
    await expect(createHandler(app)({ q: 'x' }, context)).rejects.toThrow(
      new Error(`The search failed. The log contains the cause under request ${context.awsRequestId}.`),
    );
    expect(log).toMatchObject([{ level: 'ERROR', status: 500, requestId: context.awsRequestId }]);
  });
});

describe('with API keys', () => {
  const event = urlEvent('GET', '/search', 'q=x');
  const withContext = (more: object) => ({ ...event, requestContext: { ...event.requestContext, ...more } });
  const withHeaders = (more: object) => ({ ...event, headers: { ...event.headers, ...more } });

  test('an event requires a key', async () => {
    const log: LogEntry[] = [];
    const refused = await invoke(event, { apiKeys });
    expect(refused).toMatchObject({ statusCode: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect(refused.asked).toBeUndefined();
    const options = { apiKeys, log: (entry: LogEntry) => log.push(entry) };
    expect((await invoke(withHeaders({ 'x-api-key': key }), options)).statusCode).toBe(200);
    expect((await invoke(withHeaders({ authorization: `Bearer ${key}` }), options)).statusCode).toBe(200);
    expect(log.map((entry) => entry.key)).toEqual(['chatbot', 'chatbot']);
  });

  test('an event authorized by AWS requires no key', async () => {
    const authorizer = { iam: { userArn: 'arn:aws:iam::123456789012:user/a' } };
    expect((await invoke(withContext({ authorizer }), { apiKeys })).asked?.q).toBe('x');
  });

  test.each([
    { authorizer: null },
    { authorizer: {} },
    { authorizer: { iam: null } },
    { authorizer: { jwt: { claims: {}, scopes: null } } },
    { authorizer: { lambda: { user: 'a' } } },
    { authentication: { clientCert: {} } },
  ])('an event with %j in its context requires a key', async (more) => {
    expect((await invoke(withContext(more), { apiKeys })).statusCode).toBe(401);
  });

  test('a caller cannot forge an authorization', async () => {
    const claim = { requestContext: { authorizer: { iam: {} } }, authorizer: { iam: {} } };
    const text = JSON.stringify({ q: 'x', ...claim });
    const tries = [
      withHeaders({ requestcontext: JSON.stringify(claim.requestContext), authorizer: '{"iam":{}}' }),
      { ...event, rawQueryString: 'q=x&requestContext=%7B%7D&authorizer=iam' },
      { ...event, cookies: [`authorizer=${text}`], queryStringParameters: { authorizer: 'iam' } },
      withBody(urlEvent('POST', '/search'), text),
    ];
    for (const one of tries) expect((await invoke(one, { apiKeys })).statusCode).toBe(401);
  });

  test('any header of an event is answered', async () => {
    const value = fc.string({ unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(value, value, async (apiKey, authorization) => {
        const sent = withHeaders({ 'x-api-key': apiKey, authorization });
        expect((await invoke(sent, { apiKeys })).statusCode).toBe(401);
      }),
    );
  });
});

test('a failure has Lambda’s request id in the answer and in the log', async () => {
  const log: LogEntry[] = [];
  const app = createApp(failingSearch, { log: (entry) => log.push(entry) });
  const result = await createHandler(app)(apiEvent('GET', '/search', 'q=x'), context);
  if (!('statusCode' in result)) throw new Error('The result is not an HTTP response.');
  expect(result.statusCode).toBe(500);
  expect(JSON.parse(result.body).requestId).toBe(context.awsRequestId);
  expect(result.body).not.toContain('secret');
  expect(log).toMatchObject([{ requestId: context.awsRequestId }]);
});

describe('behind CloudFront', () => {
  const through = (host: string, headers: Record<string, string> = {}) => {
    const event = apiEvent('GET', '/openapi.json');
    return invoke({ ...event, headers: { ...event.headers, 'x-polyseek-host': host, ...headers } });
  };
  const own = 'https://abcde12345.execute-api.eu-central-1.amazonaws.com';

  test('links and origins are those of the viewer’s host', async () => {
    const { json } = await through('search.example.com', { origin: 'https://search.example.com' });
    expect(json.servers).toEqual([{ url: 'https://search.example.com' }]);
    expect(await through('search.example.com', { origin: own })).toMatchObject({ statusCode: 403 });
  });

  test.each([
    ...['', 'a/b', 'a b', 'user@evil.example', 'a.example, b.example', 'a:b', '?'],
    // They look like hosts, but no URL may contain them.
    ...['1.2.3.999', 'a:99999', 'xn--'],
  ])('a forwarded host %j is ignored', async (host) => {
    expect((await through(host)).json.servers).toEqual([{ url: own }]);
  });

  test.each([
    ['2001:db8::1', '2001:db8::1'],
    ['192.0.2.7', '192.0.2.7'],
    ['a"b', undefined],
    ['1'.repeat(46), undefined],
  ])('the log contains the viewer’s address %j', async (sent, logged) => {
    const log: LogEntry[] = [];
    const event = apiEvent('GET', '/openapi.json');
    const headers = { ...event.headers, 'x-polyseek-viewer': sent };
    await createHandler(createApp(new SearchDouble(), { log: (entry) => log.push(entry) }))({
      ...event,
      headers,
    });
    expect(log.map(({ viewer }) => viewer)).toEqual([logged]);
  });

  test('the preflight of a foreign page is refused, whatever header it announces', async () => {
    const event = apiEvent('OPTIONS', '/search');
    const preflight = {
      origin: 'https://evil.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'x-polyseek-host',
    };
    const { statusCode, headers } = await invoke({ ...event, headers: { ...event.headers, ...preflight } });
    expect(statusCode).toBe(403);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});
