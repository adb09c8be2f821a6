import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf, toApiKeys } from '../../../functions/search/auth.ts';
import { createHandler } from '../../../functions/search/handler.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import { defaults, post, request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const sha256 = (key: string) => digestOf(key).toString('hex');

/** An endpoint with the collection `hr`, which logs. */
function open(apiKeys?: Record<string, { sha256: string; collections?: string[] }>) {
  const [main, hr] = [new SearchDouble(), new SearchDouble()];
  const log: LogEntry[] = [];
  const app = createApp(main, {
    contracts: true,
    collections: new Map([['hr', async () => hr]]),
    apiKeys: apiKeys && toApiKeys(apiKeys, 'apiKeys'),
    log: (entry) => log.push(entry),
  });
  return { app, main, hr, log };
}

/** Sends a body, and returns the answer with the searches that it made. */
async function ask(path: string, body: unknown, headers: Record<string, string> = {}) {
  const { app, main, hr } = open();
  const sent = post(body);
  const response = await request(app, path, { ...sent, headers: { ...sent.headers, ...headers } });
  const answer = await response.json();
  return { status: response.status, answer, main: main.requests, hr: hr.requests };
}

const TEXT = 'Passports are renewed online. A renewal takes three weeks.';
const PLACE = { title: 'Passports › Renewal', source: 'guides/passports.md', lang: 'en' };
const METADATA = { department: 'travel', year: 2024, current: true };
const TAGS = ['passport', 'renewal'];
const URL = 'https://example.org/passports';

/** What the clients of platforms send, as their own code writes it, the search that it means, and the answer. */
const RECORDED = {
  // litellm/llms/openai/vector_stores/transformation.py of BerriAI/litellm sends null for what is not set.
  LiteLLM: {
    path: '/v1/vector_stores/default/search',
    body: { query: 'x', filters: null, max_num_results: null, ranking_options: null, rewrite_query: null },
    search: { ...defaults, q: 'x' },
    answer: {
      object: 'vector_store.search_results.page',
      search_query: ['x'],
      data: [
        {
          file_id: 'guides/passports.md#2',
          filename: PLACE.source,
          score: 0.75,
          attributes: { ...METADATA, tags: TAGS.join(', '), ...PLACE },
          content: [{ type: 'text', text: TEXT }],
        },
      ],
      has_more: false,
      next_page: null,
    },
  },
  // api/services/external_knowledge_service.py of langgenius/dify; the threshold is 0 unless it is turned on.
  Dify: {
    path: '/dify/retrieval',
    body: {
      retrieval_setting: { top_k: 4, score_threshold: 0.0 },
      query: 'x',
      knowledge_id: 'default',
      metadata_condition: {
        logical_operator: 'and',
        conditions: [{ name: 'department', comparison_operator: 'is', value: 'travel' }],
      },
    },
    search: { ...defaults, q: 'x', k: 4, minConfidence: 0, filter: { department: ['travel'] } },
    answer: {
      records: [
        {
          content: TEXT,
          score: 0.75,
          title: PLACE.title,
          metadata: { ...METADATA, tags: TAGS, ...PLACE, url: URL },
        },
      ],
    },
  },
  // backend/open_webui/retrieval/web/external.py of open-webui/open-webui.
  'Open WebUI': {
    path: '/open-webui',
    body: { query: 'x', count: 3 },
    search: { ...defaults, q: 'x', k: 3 },
    answer: [{ link: URL, title: PLACE.title, snippet: TEXT }],
  },
  // core/context/providers/HttpContextProvider.ts of continuedev/continue.
  Continue: {
    path: '/continue',
    body: { query: '', fullInput: 'x' },
    search: { ...defaults, q: 'x' },
    answer: [{ name: PLACE.title, description: PLACE.source, content: TEXT }],
  },
  'Amazon Bedrock': {
    path: '/knowledgebases/default/retrieve',
    body: {
      retrievalQuery: { text: 'x' },
      retrievalConfiguration: {
        vectorSearchConfiguration: {
          overrideSearchType: 'SEMANTIC',
          filter: {
            orAll: [{ equals: { key: 'year', value: 2023 } }, { in: { key: 'year', value: [2024] } }],
          },
        },
      },
    },
    search: { ...defaults, q: 'x', k: 5, mode: 'semantic', filter: { year: [2023, 2024] } },
    answer: {
      retrievalResults: [
        {
          content: { type: 'TEXT', text: TEXT },
          location: { type: 'WEB', webLocation: { url: URL } },
          metadata: { ...METADATA, tags: TAGS, ...PLACE },
          score: 0.75,
        },
      ],
    },
  },
};

test.each(Object.entries(RECORDED))('%s gets an answer in its form', async (_, recorded) => {
  const { status, answer, main } = await ask(recorded.path, recorded.body);
  expect([status, answer]).toEqual([200, recorded.answer]);
  expect(main).toEqual([recorded.search]);
});

test.each(Object.entries(RECORDED))('%s gets an answer or an error to any fields', async (_, recorded) => {
  const fields = Object.entries(recorded.body).map(([name, value]) => {
    const inner = typeof value === 'object' && value !== null ? Object.keys(value) : ['x'];
    const any = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...inner), fc.jsonValue()));
    return [name, fc.oneof(fc.constant(value), any)] as const;
  });
  const { app } = open();
  await fc.assert(
    fc.asyncProperty(fc.record(Object.fromEntries(fields), { requiredKeys: [] }), async (body) => {
      expect([200, 400, 404]).toContain((await request(app, recorded.path, post(body))).status);
    }),
  );
});

describe('the id of an index', () => {
  test.each([
    ['/v1/vector_stores/hr/search', { query: 'x' }],
    ['/dify/retrieval', { knowledge_id: 'hr', query: 'x' }],
    ['/knowledgebases/hr/retrieve', { retrievalQuery: { text: 'x' } }],
    ['/c/hr/open-webui', { query: 'x' }],
    ['/c/hr/continue', { fullInput: 'x' }],
  ])('chooses a collection: %s', async (path, body) => {
    const { status, main, hr } = await ask(path, body);
    expect([status, main.length, hr.length]).toEqual([200, 0, 1]);
  });

  test('may be unknown', async () => {
    const detail = 'There is no such collection. GET / lists the collections.';
    expect(await ask('/v1/vector_stores/none/search', { query: 'x' })).toMatchObject({
      status: 404,
      answer: { error: { message: detail, type: 'invalid_request_error' } },
    });
    expect(await ask('/dify/retrieval', { knowledge_id: 'none', query: 'x' })).toMatchObject({
      status: 404,
      answer: { error_code: 2001, error_msg: detail },
    });
    expect(await ask('/knowledgebases/none/retrieve', { retrievalQuery: { text: 'x' } })).toMatchObject({
      status: 404,
      answer: { __type: 'ResourceNotFoundException', message: detail },
    });
    for (const id of ['hr/../x', 'a/b', '', 'hr/passages/x'])
      expect(await ask('/dify/retrieval', { knowledge_id: id, query: 'x' })).toMatchObject({
        status: 404,
        answer: { error_code: 2001 },
      });
  });
});

test('a key is necessary, and opens its collections only', async () => {
  const { app, hr, main, log } = open({ hr: { sha256: sha256('ps_hr'), collections: ['hr'] } });
  const send = async (id: string, authorization?: string) => {
    const sent = post({ knowledge_id: id, query: 'x' });
    const headers = { ...sent.headers, ...(authorization && { authorization }) };
    const response = await request(app, '/dify/retrieval', { ...sent, headers });
    return [response.status, ((await response.json()) as { error_code?: number }).error_code];
  };
  expect(await send('hr', 'Bearer ps_hr')).toEqual([200, undefined]);
  expect(await send('default', 'Bearer ps_hr')).toEqual([403, 1002]);
  expect(await send('hr', 'Bearer wrong')).toEqual([401, 1002]);
  expect(await send('hr')).toEqual([401, 1001]);
  expect([hr.requests.length, main.requests.length]).toEqual([1, 0]);
  expect(log.map(({ status, key }) => [status, key])).toEqual([
    [200, 'hr'],
    [403, 'hr'],
    [401, undefined],
    [401, undefined],
  ]);
});

describe('filters', () => {
  const eq = (key: string, value: unknown) => ({ type: 'eq', key, value });
  const search = (filters: unknown) => ask('/v1/vector_stores/default/search', { query: 'x', filters });

  test.each([
    [eq('lang', 'de'), { lang: ['de'] }],
    [{ type: 'in', key: 'year', value: [2023, 2024] }, { year: [2023, 2024] }],
    [
      { type: 'and', filters: [eq('lang', 'de'), { type: 'or', filters: [eq('a', 1), eq('a', true)] }] },
      { lang: ['de'], a: [1, true] },
    ],
  ])('mean fields with any of their values', async (filters, expected) => {
    expect((await search(filters)).main).toEqual([{ ...defaults, q: 'x', filter: expected }]);
  });

  test.each(
    [
      ...['ne', 'gt', 'gte', 'lt', 'lte', 'nin'].map((type) => ({ type, key: 'a', value: 1 })),
      { type: 'or', filters: [eq('a', 1), eq('b', 1)] },
      { type: 'or', filters: [] },
      { type: 'and', filters: [eq('a', 1), eq('a', 2)] },
      { type: 'and', filters: ['x'] },
      { type: 'and' },
      { type: 'eq', value: 1 },
      eq('__proto__', 1),
      eq('a', {}),
      Array.from({ length: 500 }).reduce((inner) => ({ type: 'and', filters: [inner] }), eq('a', 1)),
    ].map((filters) => [JSON.stringify(filters).slice(0, 60), filters]),
  )('are refused unless a search can do it: %s', async (_, filters) => {
    const { status, answer, main } = await search(filters);
    expect([status, main]).toEqual([400, []]);
    expect(answer).toMatchObject({ error: { message: expect.stringMatching(/filter/) } });
  });
});

test('errors name the fields as the platform does', async () => {
  const message = async (body: unknown) => {
    const { status, answer } = await ask('/v1/vector_stores/default/search', body);
    expect(status).toBe(400);
    return (answer as { error: { message: string } }).error.message;
  };
  expect(await message({ query: 'x', max_num_results: 500 })).toBe(
    'max_num_results is 500, but must be a whole number from 1 to 100.',
  );
  expect(await message({ query: 'x', ranking_options: { score_threshold: 2 } })).toBe(
    'ranking_options.score_threshold is 2, but must be a number from 0 to 1.',
  );
  expect(await message({})).toBe(
    'query is missing. Add your question, as in {"query":"Is slavery allowed"}.',
  );
  expect(await ask('/dify/retrieval', { query: 'x' })).toMatchObject({
    answer: {
      error_code: 400,
      error_msg: expect.stringContaining('knowledge_id is missing. The fields are'),
    },
  });
  expect(await message('{')).toContain('The body is not valid JSON.');
  const { answer } = await ask('/continue', { fullInput: ' ' });
  expect(answer).toEqual([
    { name: 'polyseek', description: 'Error 400', content: expect.stringContaining('fullInput') },
  ]);
  expect(
    await ask('/knowledgebases/default/retrieve', { retrievalQuery: { text: 'x' }, nextToken: 'x' }),
  ).toMatchObject({ status: 400, answer: { __type: 'ValidationException' } });
});

test('a list of queries is one search', async () => {
  const { main } = await ask('/v1/vector_stores/default/search', {
    query: ['one', 'two'],
    ranking_options: { score_threshold: 0.5 },
  });
  expect(main).toEqual([{ ...defaults, q: 'one\ntwo', minConfidence: 0.5 }]);
});

test('a result without a URL links to its passage', async () => {
  class WithoutUrl extends SearchDouble {
    override async search(from: Parameters<SearchDouble['search']>[0]) {
      const answer = await super.search(from);
      return { ...answer, results: answer.results.map(({ url: _, ...result }) => result) };
    }
  }
  const hr = new Map([['hr', async () => new WithoutUrl()]]);
  const app = createApp(new WithoutUrl(), { contracts: true, collections: hr, log: () => {} });
  const link = async (path: string, prefix: string) => {
    const response = await request(app, path, post({ query: 'x' }), prefix);
    return ((await response.json()) as { link: string }[])[0]!.link;
  };
  expect(await link('/open-webui', '')).toBe('http://localhost/passages/guides%2Fpassports.md%232');
  expect(await link('/c/hr/open-webui', '/prod')).toBe(
    'http://localhost/prod/c/hr/passages/guides%2Fpassports.md%232',
  );
});

test('an endpoint answers only its own routes unless contracts are on', async () => {
  const app = createApp(new SearchDouble(), { log: () => {} });
  for (const { path, body } of Object.values(RECORDED))
    expect((await request(app, path, post(body))).status).toBe(404);
  const on = open().app;
  expect((await request(on, '/open-webui')).status).toBe(404);
  expect((await request(on, '/browser/open-webui', post({ query: 'x' }))).status).toBe(404);
  expect((await request(on, '/unknown', post({ query: 'x' }))).status).toBe(404);
});

describe('an action group of an agent', () => {
  /** As in https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html. */
  const event = {
    messageVersion: '1.0',
    agent: { name: 'agent', id: 'A', alias: 'L', version: '1' },
    inputText: 'How long does a renewal take?',
    sessionId: '1',
    actionGroup: 'documents',
    sessionAttributes: {},
    promptSessionAttributes: {},
  };
  const q = { name: 'q', type: 'string', value: 'x' };
  const send = async (more: object) => {
    const { app, main, hr } = open();
    return { result: await createHandler(app, true)({ ...event, ...more }), main, hr };
  };

  test('of a schema gets the answer of the route', async () => {
    const { result, main } = await send({
      apiPath: '/search',
      httpMethod: 'GET',
      parameters: [q, { name: 'k', type: 'integer', value: '2' }],
    });
    expect(main.requests).toEqual([{ ...defaults, q: 'x', k: 2 }]);
    expect(result).toEqual({
      messageVersion: '1.0',
      response: {
        actionGroup: 'documents',
        apiPath: '/search',
        httpMethod: 'GET',
        httpStatusCode: 200,
        responseBody: { 'application/json': { body: expect.stringContaining(TEXT) } },
      },
    });
    const properties = [q, { name: 'lang', type: 'string', value: 'de' }];
    const posted = await send({
      apiPath: '/c/hr/search',
      httpMethod: 'POST',
      requestBody: { content: { 'application/json': { properties } } },
    });
    expect(posted.hr.requests).toEqual([{ ...defaults, q: 'x', filter: { lang: ['de'] } }]);
    const { result: passage } = await send({
      apiPath: '/passages/{id}',
      httpMethod: 'GET',
      parameters: [{ name: 'id', type: 'string', value: 'guides/passports.md#2' }],
    });
    expect(passage).toMatchObject({ response: { httpStatusCode: 200, apiPath: '/passages/{id}' } });
  });

  test('of a function gets the answer of a search, or an error', async () => {
    const { result } = await send({ function: 'search', parameters: [q] });
    expect(result).toEqual({
      messageVersion: '1.0',
      response: {
        actionGroup: 'documents',
        function: 'search',
        functionResponse: { responseBody: { TEXT: { body: expect.stringContaining(TEXT) } } },
      },
    });
    const { result: error } = await send({ apiPath: '/search', httpMethod: 'GET', parameters: [] });
    expect(error).toMatchObject({ response: { httpStatusCode: 400 } });
  });

  test('gets an answer only if contracts are on', async () => {
    expect(await createHandler(open().app)({ ...event, function: 'search', parameters: [q] })).toMatchObject({
      statusCode: 400,
    });
  });
});
