import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { dispatch, type HttpRequest, type RoutedRequest } from '../../../functions/search/http.ts';
import { isCollectionName, splitPath } from '../../../functions/search/paths.ts';
import { runs } from '../../fixtures/runs.ts';
import { addressOf, request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

describe('a path', () => {
  test.each<[string, string, boolean, string | undefined, string]>([
    ['/', '', false, undefined, '/'],
    ['/search', '', false, undefined, '/search'],
    ['/browser', '/browser', true, undefined, '/'],
    ['/browser/', '/browser', true, undefined, '/'],
    ['/browser/search', '/browser', true, undefined, '/search'],
    ['/browsers/search', '', false, undefined, '/browsers/search'],
    ['/Browser/search', '', false, undefined, '/Browser/search'],
    ['//browser/search', '', false, undefined, '//browser/search'],
    ['/browser//search', '/browser', true, undefined, '//search'],
    ['/browser/browser/search', '/browser', true, undefined, '/browser/search'],
    ['/c/hr', '/c/hr', false, 'hr', '/'],
    ['/c/hr/', '/c/hr', false, 'hr', '/'],
    ['/c/hr/search', '/c/hr', false, 'hr', '/search'],
    ['/c/hr/passages/c/d', '/c/hr', false, 'hr', '/passages/c/d'],
    ['/c', '', false, undefined, '/c'],
    ['/c/', '', false, undefined, '/c/'],
    ['/c//search', '', false, undefined, '/c//search'],
    ['/c/hr/c/law/search', '/c/hr', false, 'hr', '/c/law/search'],
    ['/c/hr/browser/search', '/c/hr', false, 'hr', '/browser/search'],
    ['/browser/c/hr/search', '/browser/c/hr', true, 'hr', '/search'],
    ['/passages/browser/c/hr', '', false, undefined, '/passages/browser/c/hr'],
  ])('%s splits into %o, %o, %o and %o', (path, prefix, browser, collection, rest) => {
    expect(splitPath(path)).toEqual({ prefix, browser, collection, path: rest });
  });

  test('loses nothing but a final slash, for any text', () => {
    const part = fc.oneof(
      fc.constantFrom('/', 'browser', '/browser', '/c/', 'c', 'hr', '%2f', '..'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const whole = `/${parts.join('')}`;
        const { prefix, browser, collection, path } = splitPath(whole);
        expect(path.startsWith('/')).toBe(true);
        expect(prefix === whole ? prefix : prefix + path).toBe(whole);
        if (prefix === whole) expect(path).toBe('/');
        expect(prefix).toBe(
          `${browser ? '/browser' : ''}${collection === undefined ? '' : `/c/${collection}`}`,
        );
        expect(collection ?? 'x').toMatch(/^[^/]+$/);
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('a request with a prefix', () => {
  const prefixes = ['/browser', '/c/hr', '/browser/c/hr'];

  test('reaches the same route as without it, with addresses that keep it', async () => {
    const seen: RoutedRequest[] = [];
    const route = {
      path: '/:rest',
      GET: (received: RoutedRequest) => {
        seen.push(received);
        return { status: 200, headers: {}, body: received.rest };
      },
    };
    const collections = new Map([['hr', async () => new SearchDouble()]]);
    const app = dispatch([route], { collections, log: () => {} });
    const rest = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/^\.{1,2}($|[/\\])/.test(text));
    const gateway = fc.constantFrom(undefined, '', '/prod');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...prefixes), rest, gateway, async (prefix, text, before) => {
        const get = async (start: string) => {
          const received: HttpRequest = {
            method: 'GET',
            ...addressOf(`https://search.example${start}/x${encodeURIComponent(text)}?a=%20b`),
            headers: {},
            body: [],
            requestId: 'id',
            ...(before !== undefined && { prefix: before }),
          };
          const { status, body } = await app(received);
          expect(status).toBe(200);
          return { answer: body, ...seen.pop()! };
        };
        const [plain, prefixed] = [await get(''), await get(prefix)];
        expect(prefixed.answer).toBe(plain.answer);
        expect(prefixed.answer).toBe(`x${text}`);
        expect(prefixed.prefix).toBe((before ?? '') + prefix);
        expect(prefixed.path).toBe(`/x${text}`);
        expect(prefixed.url.search).toBe('?a=%20b');
        expect(prefixed.collection).toBe(prefix.endsWith('hr') ? 'hr' : undefined);
      }),
      { examples: ['/.', '/..', '/../y', '/./..'].map((text) => [prefixes[0]!, text, undefined]) },
    );
  });

  test('is recognised with escapes, as an HTTP API decodes them', async () => {
    const collections = new Map([['hr', async () => new SearchDouble()]]);
    const app = createApp(new SearchDouble(), { collections, log: () => {} });
    for (const path of ['/%62rowser/search', '/c%2Fhr/%73earch', '/browser%2Fc/%68r/search'])
      expect((await request(app, `${path}?q=x`)).status).toBe(200);
  });

  test.each(prefixes)('%s is part of the addresses in answers', async (prefix) => {
    const collections = new Map([['hr', async () => new SearchDouble()]]);
    const app = createApp(new SearchDouble(), { collections, log: () => {} });
    const base = `https://search.example/prod${prefix}`;
    const get = async (path: string) =>
      (await request(app, `https://search.example${prefix}${path}`, {}, '/prod')).json();
    expect(await get('/openapi.json')).toMatchObject({ servers: [{ url: base }] });
    const home = { example: `${base}/search?q=QUESTION`, openapi: `${base}/openapi.json` };
    expect(await get('')).toMatchObject(home);
    expect(await get('/')).toMatchObject(home);
    const call = { name: 'fetch', arguments: { id: 'guides/passports.md#2' } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const init = { method: 'POST', headers, body };
    const answer = await request(app, `https://search.example${prefix}/mcp`, init, '/prod');
    expect(await answer.json()).toMatchObject({
      result: { structuredContent: { alsoIn: [{}, { url: `${base}/passages/old%2F2` }] } },
    });
  });
});

test.each([
  ['a', true],
  ['hr-2026', true],
  ['-', true],
  ['a'.repeat(32), true],
  ['a'.repeat(33), false],
  ['', false],
  ['HR', false],
  ['h_r', false],
  ['hr\n', false],
  ['../x', false],
])('%j as the name of a collection: %s', (name, valid) => {
  expect(isCollectionName(name)).toBe(valid);
});
