import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { openApi } from '../../../functions/search/openapi.ts';
import type { SearchResult } from '../../../index/search/answer.ts';
import { post, request } from './ask.ts';
import { differences } from './json-schema.ts';
import { failingSearch, SearchDouble, unavailableSearch } from './search-double.ts';

const app = createApp(new SearchDouble(), { log: () => {} });
const document = openApi('https://search.example.org');
const operationsOf = ({ paths }: typeof document) =>
  Object.values(paths).flatMap((methods) => Object.values(methods));
const operations = operationsOf(document);

const { schemas } = document.components;

/** Lists the differences between a value and a schema of the document. */
function differs(value: unknown, name: keyof typeof schemas) {
  return differences(value, { $ref: `#/components/schemas/${name}` }, JSON.parse(JSON.stringify(schemas)));
}

describe('answers match the document', () => {
  const id = encodeURIComponent('guides/passports.md#2');
  test.each([
    ['/search?q=x', 'Answer'],
    ['/search?q=x&context=1&explain=true&matches=true', 'Answer'],
    ['/search?q=perhaps', 'Answer'],
    ['/search?q=nothing', 'Answer'],
    [`/passages/${id}`, 'Passage'],
    [`/passages/${id}?context=1`, 'Passage'],
    ['/health', 'Health'],
    ['/overview', 'Overview'],
    ['/search', 'Problem'],
    ['/nothing', 'Problem'],
  ] as const)('%s has the schema %s', async (path, name) => {
    const value = await (await request(app, path)).json();
    expect(differs(value, name)).toEqual([]);
  });

  test('an answer with a history has the schema Answer', async () => {
    const history = [{ role: 'user', content: 'a' }];
    const answer = await (await request(app, '/search', post({ q: 'x', history }))).json();
    expect(answer).toMatchObject({ searchedFor: { text: 'x before', share: 0.25 } });
    expect(differs(answer, 'Answer')).toEqual([]);
  });

  test.each([failingSearch, unavailableSearch])('failure %# has the schema Problem', async (search) => {
    const response = await request(createApp(search, { log: () => {} }), '/search?q=x');
    expect(differs(await response.json(), 'Problem')).toEqual([]);
  });

  test('differences are found', async () => {
    const { results, ...answer } = await new SearchDouble().search({ q: 'x', k: 1, mode: 'hybrid' });
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
      matches: true,
      lang: 'de',
      source: ['a/'],
    },
    {
      q: 'x',
      lang: ['de', 'en'],
      source: 'a',
      filter: { year: 2024, tags: ['a'], current: true, title: 'T' },
    },
    { q: 'x', history: [] },
    {
      q: 'x',
      history: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: '' },
      ],
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
    { q: 'x', matches: 1 },
    { q: 'x', lang: 'de,en' },
    { q: 'x', source: [] },
    { q: 'x', filter: { year: [null] } },
    { q: 'x', query: 'x' },
    { q: 'x', history: 'a' },
    { q: 'x', history: Array(11).fill({ role: 'user', content: 'a' }) },
    { q: 'x', history: [{ role: 'user' }] },
    { q: 'x', history: [{ role: 'system', content: 'a' }] },
  ])('%j is refused by both', async (body) => {
    expect(differs(body, 'SearchBody')).not.toEqual([]);
    expect((await request(app, '/search', post(body))).status).toBe(400);
  });

  test('the parameters of GET are the fields of POST except history and filter, with the same defaults', () => {
    const { parameters } = document.paths['/search'].get;
    const { filter: _, history: __, ...properties } = schemas.SearchBody.properties ?? {};
    expect(parameters.map(({ name }) => name)).toEqual(Object.keys(properties));
    const defaults = parameters.flatMap(({ name, schema }) =>
      'default' in schema ? [[name, schema.default]] : [],
    );
    expect(Object.fromEntries(defaults)).toEqual({
      k: 10,
      mode: 'hybrid',
      context: 0,
      maxCharacters: 99_999,
      explain: false,
      matches: false,
    });
    expect(parameters.filter(({ required }) => required).map(({ name }) => name)).toEqual(['q']);
  });
});

describe('the document', () => {
  test('contains the requested address', async () => {
    const response = await request(app, 'https://search.example.org/openapi.json');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
    const prefixed = await request(app, 'https://search.example.org/openapi.json', {}, '/prod');
    expect(await prefixed.json()).toMatchObject({ servers: [{ url: 'https://search.example.org/prod' }] });
  });

  test('has an operationId for each operation', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations.map(({ operationId }) => operationId)).toEqual([
      'search',
      'searchWithFilter',
      'getPassage',
      'getHealth',
      'getOverview',
    ]);
  });

  test('contains feedback only where it is on', async () => {
    expect(document.paths).not.toHaveProperty('/feedback');
    const taking = createApp(new SearchDouble(), { feedback: true, log: () => {} });
    const served = await (await request(taking, 'https://search.example.org/openapi.json')).text();
    expect(served).toBe(JSON.stringify(openApi('https://search.example.org', { feedback: true })));
    const { requestBody, responses } = JSON.parse(served).paths['/feedback'].post;
    const { example, schema } = requestBody.content['application/json'];
    expect(differences(example, schema, {})).toEqual([]);
    expect(differences({ q: 'x', helpful: 'yes' }, schema, {})).not.toEqual([]);
    const response = await request(taking, '/feedback', post(example));
    const answer = responses[200].content['application/json'].schema;
    expect(differences(await response.json(), answer, {})).toEqual([]);
  });

  test('refers only to existing schemas', () => {
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(names.length).toBeGreaterThan(5);
    for (const [, name] of names) expect(Object.keys(schemas)).toContain(name);
  });

  test('lists every status of its operations, with problem documents for refusals', () => {
    for (const operation of operations) {
      for (const [status, response] of Object.entries<object>(operation.responses)) {
        // A gateway has its own format.
        if (status === '429') continue;
        const type = Number(status) < 400 ? 'application/json' : 'application/problem+json';
        expect(response).toEqual({ description: expect.anything(), content: { [type]: expect.anything() } });
      }
    }
    expect(Object.keys(document.paths['/search'].post.responses)).toEqual([
      '200',
      '400',
      '403',
      '413',
      '415',
      '429',
      '500',
      '503',
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
});

describe('a linter', () => {
  /** The findings of Redocly's strictest rules, with rule and location. */
  async function lint(value: unknown): Promise<string[]> {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const found = await lintFromString({ source: JSON.stringify(value), config });
    return found.map(
      ({ ruleId, location }) => `${ruleId} ${location.map(({ pointer }) => pointer).join(' ')}`,
    );
  }

  test.each([{}, { keys: true }, { keys: true, tokens: true }, { feedback: true }])(
    'finds nothing (%j)',
    async (settings) => {
      expect(await lint(openApi('https://search.example.org', settings))).toEqual([]);
    },
  );

  test('finds errors', async () => {
    const { operationId: _, ...health } = document.paths['/health'].get;
    expect(await lint({ ...document, paths: { '/health': { get: health } } })).toContain(
      'operation-operationId #/paths/~1health/get/operationId',
    );
  });
});

// https://developers.openai.com/api/docs/actions/production
describe('the document meets the limits of GPT Actions', () => {
  const both = [{}, { keys: true, tokens: true, feedback: true }].map((settings) =>
    openApi('https://search.example.org', settings),
  );

  /** All objects in a document, at any depth. */
  const parts = (value: unknown): Record<string, unknown>[] =>
    typeof value === 'object' && value !== null
      ? [value as Record<string, unknown>, ...Object.values(value).flatMap(parts)]
      : [];

  test('descriptions and summaries have at most 300 characters, or 700 for parameters and fields', () => {
    for (const { summary, description, responses } of both.flatMap(operationsOf)) {
      for (const text of [
        summary,
        description,
        ...Object.values<{ description: string }>(responses).map((r) => r.description),
      ]) {
        expect(text.length).toBeGreaterThan(10);
        expect(text.length).toBeLessThanOrEqual(300);
      }
    }
    const described = parts(both).flatMap(({ description }) =>
      typeof description === 'string' ? [description] : [],
    );
    expect(described.length).toBeGreaterThan(50);
    for (const text of described) expect(text.length).toBeLessThanOrEqual(700);
    for (const { parameters } of [document.paths['/search'].get, document.paths['/passages/{id}'].get]) {
      for (const { description } of parameters) expect(description?.length).toBeGreaterThan(20);
    }
  });

  test('parameters are in the query or the path, and single values are allowed for lists', () => {
    const { get } = document.paths['/search'];
    const places = [...get.parameters, ...document.paths['/passages/{id}'].get.parameters];
    expect(new Set(places.map((parameter) => parameter.in))).toEqual(new Set(['query', 'path']));
    expect(get.parameters.find(({ name }) => name === 'lang')?.schema).toMatchObject({
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    });
  });

  test('every object lists its properties', () => {
    const objects = parts(both).filter(({ type }) => type === 'object');
    expect(objects.length).toBeGreaterThan(10);
    for (const schema of objects) expect(schema).toHaveProperty('properties');
  });

  test('long answers are truncated below 100,000 characters', async () => {
    const search = new SearchDouble();
    const [result] = (await search.search({ q: 'x', k: 1, mode: 'hybrid' })).results;
    const text = 'x'.repeat(4_000);
    const results: SearchResult[] = Array.from({ length: 100 }, (_, i) => ({ ...result!, id: `${i}`, text }));
    search.search = async ({ q, k }) => ({
      q,
      verdict: 'answered',
      answered: true,
      results: results.slice(0, k),
      took: { embedMs: 0, searchMs: 0, totalMs: 0 },
      index: search.info,
    });
    const long = createApp(search, { log: () => {} });
    for (const response of [
      await request(long, '/search?q=x&k=100'),
      await request(long, '/search', post({ q: 'x', k: 100 })),
    ]) {
      const body = await response.text();
      expect(body.length).toBeLessThan(100_000);
      expect(body.length).toBeGreaterThan(90_000);
      const answer = JSON.parse(body);
      expect(differs(answer, 'Answer')).toEqual([]);
      expect(answer.results.length + answer.omitted).toBe(100);
    }
    const whole = await (await request(long, '/search?q=x&k=100&maxCharacters=1000000')).text();
    const { results: all, omitted } = JSON.parse(whole);
    expect([all.length, omitted]).toEqual([100, undefined]);
  });
});

describe('with API keys', () => {
  const key = 'ps_key';
  const apiKeys = new Map([['chatbot', { digest: digestOf(key) }]]);
  const locked = createApp(new SearchDouble(), { apiKeys, log: () => {} });
  const withKeys = openApi('https://search.example.org', { keys: true });

  test('the document contains one way to send a key, and the refusal', async () => {
    expect(withKeys.components.securitySchemes).toMatchObject({ apiKey: { type: 'http', scheme: 'bearer' } });
    expect(withKeys.security).toEqual([{ apiKey: [] }]);
    for (const operation of Object.values(withKeys.paths).flatMap((methods) => Object.values(methods))) {
      expect(operation.responses).toHaveProperty('401');
    }
    const headers = { 'x-api-key': key };
    const response = await request(locked, 'https://search.example.org/openapi.json', { headers });
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(withKeys)));
  });

  test('a refusal has the schema Problem', async () => {
    const response = await request(locked, '/search?q=x');
    expect(response.status).toBe(401);
    expect(differs(await response.json(), 'Problem')).toEqual([]);
  });

  test('the document does not mention keys without API keys', () => {
    expect(document.security).toEqual([]);
    expect(document.components).not.toHaveProperty('securitySchemes');
    expect(JSON.stringify(document)).not.toContain('401');
  });
});
