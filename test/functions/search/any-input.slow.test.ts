import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { runs } from '../../fixtures/runs.ts';
import { request } from './ask.ts';
import { send, sendCurrent } from './mcp-ask.ts';
import { SearchDouble } from './search-double.ts';

const search = new SearchDouble();
const app = createApp(search, { log: () => {} });

const post = (body: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json' },
});

/** Expects an answer, or a refusal with a problem document of the same status. */
async function checkAnswer(response: Response, refusals: number[]) {
  if (response.status === 200) return;
  expect(refusals).toContain(response.status);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(await response.json()).toMatchObject({ status: response.status });
}

describe('any input', () => {
  test('any query string is answered or refused', async () => {
    const name = fc.oneof(
      fc.constantFrom('q', 'k', 'mode', 'lang', 'source', 'minConfidence', 'context', 'explain', 'matches'),
      fc.string({ unit: 'binary' }),
    );
    const pairs = fc
      .array(fc.tuple(name, fc.oneof(fc.string({ unit: 'binary' }), fc.double().map(String))))
      .map((entries) => String(new URLSearchParams(entries)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(pairs, fc.string({ unit: 'binary' })), async (query) => {
        await checkAnswer(await request(app, `/search?${query}`), [400]);
      }),
      { numRuns: runs(500) },
    );
  });

  test('any JSON body is answered or refused', async () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('hybrid', 1, 0.5, true, 'de', ['a']));
    const near = fc.record(
      {
        q: fc.oneof(fc.string({ unit: 'binary' }), field),
        k: field,
        mode: field,
        lang: field,
        source: field,
        filter: fc.oneof(fc.dictionary(fc.string(), field), field),
        minConfidence: field,
        context: field,
        explain: field,
        matches: field,
        history: fc.oneof(fc.array(fc.record({ role: field, content: field })), field),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, fc.jsonValue()), async (value) => {
        await checkAnswer(await request(app, '/search', post(JSON.stringify(value))), [400]);
      }),
      { numRuns: runs(500) },
    );
  });

  test('any bytes as a body are answered or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await checkAnswer(
          await request(app, '/search', { method: 'POST', body: new Uint8Array(bytes) }),
          [400],
        );
      }),
    );
  });

  test('any call of an MCP tool is answered with a result or an error', async () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom(1, 0.5, 'de', ['a'], 'guides/passports.md#2'));
    const near = fc.dictionary(
      fc.oneof(
        fc.constantFrom('query', 'k', 'lang', 'source', 'filter', 'minConfidence', 'id', 'context'),
        fc.string({ unit: 'binary' }),
      ),
      field,
    );
    const name = fc.oneof(fc.constantFrom('search', 'fetch'), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(name, fc.oneof(near, fc.jsonValue()), async (name, args) => {
        const params = { name, arguments: args };
        const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
        for (const response of [await send(app, message), await sendCurrent(app, 'tools/call', params)]) {
          expect([200, 400]).toContain(response.status);
          const { result, error } = (await response.json()) as { result?: object; error?: object };
          expect(result ?? error).toBeDefined();
        }
      }),
      { numRuns: runs(300) },
    );
  });

  test('any MCP message is answered or refused', async () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('2.0', 'tools/list', 'initialize', 'ping', 1));
    const near = fc.record({ jsonrpc: field, id: field, method: field, params: field }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, fc.jsonValue()), async (message) => {
        expect([200, 202, 400]).toContain((await send(app, JSON.stringify(message))).status);
      }),
      { numRuns: runs(300) },
    );
  });

  test('any path is answered or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (path) => {
        await checkAnswer(await request(app, `/passages/${path}`), [400, 404]);
      }),
    );
  });

  test('a valid POST reaches the search unchanged', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((t) => t.trim() !== '');
    const body = fc.record({
      q: text,
      k: fc.integer({ min: 1, max: 100 }),
      mode: fc.constantFrom('hybrid', 'semantic', 'lexical'),
      source: fc.array(text, { minLength: 1 }),
      context: fc.integer({ min: 0, max: 5 }),
      minConfidence: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0),
      explain: fc.boolean(),
      matches: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(body, async ({ q, source, ...rest }) => {
        const response = await request(app, '/search', post(JSON.stringify({ q, source, ...rest })));
        expect(response.status).toBe(200);
        expect(search.requests.at(-1)).toEqual({ q: q.trim(), filter: { source }, ...rest });
      }),
    );
  });
});
