import { describe, expect, test } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { digestOf } from '../../functions/search/auth.ts';
import { openApi } from '../../functions/search/openapi.ts';
import { post, request } from './ask.ts';
import { differences } from './json-schema.ts';
import { failingSearch, SearchDouble } from './search-double.ts';

const app = createApp(new SearchDouble(), { log: () => {} });
const document = openApi('https://search.example.org');
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

const { schemas } = document.components;

/** What differs between a value and a schema of the document. */
function differs(value: unknown, name: keyof typeof schemas) {
  return differences(value, { $ref: `#/components/schemas/${name}` }, JSON.parse(JSON.stringify(schemas)));
}

describe('answers match the document', () => {
  const id = encodeURIComponent('guides/passports.md#2');
  test.each([
    ['/search?q=x', 'Answer'],
    ['/search?q=x&context=1&explain=true', 'Answer'],
    ['/search?q=nothing', 'Answer'],
    [`/passages/${id}`, 'Passage'],
    [`/passages/${id}?context=1`, 'Passage'],
    ['/health', 'Health'],
    ['/overview', 'Overview'],
    ['/search', 'Problem'],
    ['/nothing', 'Problem'],
  ] as const)('%s is of schema %s', async (path, name) => {
    const value = await (await request(app, path)).json();
    expect(differs(value, name)).toEqual([]);
  });

  test('a failure is of schema Problem', async () => {
    const response = await request(createApp(failingSearch, { log: () => {} }), '/search?q=x');
    expect(differs(await response.json(), 'Problem')).toEqual([]);
  });

  test('what differs is found', async () => {
    const { results, ...answer } = await new SearchDouble().search({ query: 'x', k: 1, mode: 'hybrid' });
    const [result] = results;
    const wrong = {
      ...answer,
      extra: 1,
      results: [
        { ...result, confidence: 2 },
        { ...result, title: 5 },
      ],
    };
    expect(differs(wrong, 'Answer')).toEqual([
      '$: property extra',
      '$.results[0].confidence: maximum',
      '$.results[1].title: type',
    ]);
    expect(differs({}, 'Health')).toEqual(['$: required status', '$: required index']);
  });
});

describe('requests match the document', () => {
  test.each([
    { q: 'x' },
    {
      q: 'x',
      k: 100,
      mode: 'lexical',
      minConfidence: 1,
      context: 5,
      explain: true,
      lang: 'de',
      source: ['a/'],
    },
    {
      q: 'x',
      lang: ['de', 'en'],
      source: 'a',
      filter: { year: 2024, tags: ['a'], current: true, title: 'T' },
    },
  ])('%j is accepted by both', async (body) => {
    expect(differs(body, 'SearchBody')).toEqual([]);
    expect((await request(app, '/search', post(body))).status).toBe(200);
  });

  test.each([
    {},
    { q: '' },
    { q: 5 },
    { q: 'a'.repeat(2001) },
    { q: 'x', k: 0 },
    { q: 'x', k: 101 },
    { q: 'x', k: 1.5 },
    { q: 'x', mode: 'fuzzy' },
    { q: 'x', minConfidence: 1.1 },
    { q: 'x', context: 6 },
    { q: 'x', explain: 'true' },
    { q: 'x', lang: 'de,en' },
    { q: 'x', source: [] },
    { q: 'x', filter: { year: [null] } },
    { q: 'x', query: 'x' },
  ])('%j is refused by both', async (body) => {
    expect(differs(body, 'SearchBody')).not.toEqual([]);
    expect((await request(app, '/search', post(body))).status).toBe(400);
  });

  test('the parameters of GET are the fields of POST except filter, with the same defaults', () => {
    const { parameters } = document.paths['/search'].get;
    const { filter: _, ...properties } = schemas.SearchBody.properties ?? {};
    expect(parameters.map(({ name }) => name)).toEqual(Object.keys(properties));
    const defaults = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema.default]));
    expect(defaults).toMatchObject({ k: 10, mode: 'hybrid', context: 0, explain: false });
    expect(parameters.filter(({ required }) => required).map(({ name }) => name)).toEqual(['q']);
  });
});

describe('the document', () => {
  test('is served with the address it was asked at', async () => {
    const response = await request(app, 'https://search.example.org/openapi.json');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
    const prefixed = await request(app, 'https://search.example.org/openapi.json', {}, '/prod');
    expect(await prefixed.json()).toMatchObject({ servers: [{ url: 'https://search.example.org/prod' }] });
  });

  test('has descriptions within the limits of agents, and an operationId for each operation', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations.map(({ operationId }) => operationId)).toEqual([
      'search',
      'searchWithFilter',
      'getPassage',
      'getHealth',
      'getOverview',
    ]);
    for (const operation of operations) {
      expect(operation.description.length).toBeGreaterThan(20);
      expect(operation.description.length).toBeLessThanOrEqual(300);
    }
    const lists = [document.paths['/search'].get.parameters, document.paths['/passages/{id}'].get.parameters];
    for (const { description } of lists.flat()) {
      expect(description?.length).toBeGreaterThan(20);
      expect(description?.length).toBeLessThanOrEqual(700);
    }
  });

  test('lists every status that its operations answer, as problems where they are refusals', () => {
    for (const operation of operations) {
      for (const [status, response] of Object.entries<{ content: object }>(operation.responses)) {
        const type = Number(status) < 400 ? 'application/json' : 'application/problem+json';
        expect(Object.keys(response.content)).toEqual([type]);
      }
    }
    expect(Object.keys(document.paths['/search'].post.responses)).toEqual([
      '200',
      '400',
      '413',
      '415',
      '500',
    ]);
  });

  test('has examples that are valid', async () => {
    const { get, post: posted } = document.paths['/search'];
    const { example } = get.responses[200].content['application/json'];
    expect(example).toBeDefined();
    expect(differs(example, 'Answer')).toEqual([]);
    const body = posted.requestBody.content['application/json'].example;
    expect((await request(app, '/search', post(body))).status).toBe(200);
    const examples = get.parameters.flatMap((p): [string, string][] =>
      'example' in p ? [[p.name, String(p.example)]] : [],
    );
    expect((await request(app, `/search?${new URLSearchParams(examples)}`)).status).toBe(200);
  });

  test('refers only to schemas that it has', () => {
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(names.length).toBeGreaterThan(5);
    for (const [, name] of names) expect(Object.keys(schemas)).toContain(name);
  });
});

describe('with API keys', () => {
  const key = 'ps_key';
  const apiKeys = new Map([['chatbot', digestOf(key)]]);
  const locked = createApp(new SearchDouble(), { apiKeys, log: () => {} });
  const withKeys = openApi('https://search.example.org', true);

  test('the document names both ways to send a key, of which one suffices, and the refusal', async () => {
    expect(withKeys.components.securitySchemes).toMatchObject({
      apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      bearer: { type: 'http', scheme: 'bearer' },
    });
    expect(withKeys.security).toEqual([{ apiKey: [] }, { bearer: [] }]);
    for (const operation of Object.values(withKeys.paths).flatMap((methods) => Object.values(methods))) {
      expect(operation.responses).toHaveProperty('401');
    }
    const headers = { 'x-api-key': key };
    const response = await request(locked, 'https://search.example.org/openapi.json', { headers });
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(withKeys)));
  });

  test('a refusal is of schema Problem', async () => {
    const response = await request(locked, '/search?q=x');
    expect(response.status).toBe(401);
    expect(differs(await response.json(), 'Problem')).toEqual([]);
  });

  test('the document has nothing of them where there are none', () => {
    expect(document).not.toHaveProperty('security');
    expect(document.components).not.toHaveProperty('securitySchemes');
    expect(JSON.stringify(document)).not.toContain('401');
  });
});
