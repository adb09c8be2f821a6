import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import { REVISIONS, structured } from '../../fixtures/mcp.ts';
import { addressOf, request } from './ask.ts';
import { clientOf, send, sendCurrent } from './mcp-ask.ts';
import { SearchDouble } from './search-double.ts';

const [current] = REVISIONS;
const silent = { log: () => {} };
const app = createApp(new SearchDouble(), silent);
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

test('an unknown tool or method is a protocol error', async () => {
  const client = await clientOf(app);
  await expect(client.callTool({ name: 'delete', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  for (const method of ['resources/list', 'nothing/at/all']) {
    const response = await sendCurrent(app, method);
    expect(await response.json()).toMatchObject({ id: 1, error: { code: -32601 } });
    const older = await send(app, { jsonrpc: '2.0', id: 2, method });
    expect(await older.json()).toMatchObject({ id: 2, error: { code: -32601 } });
  }
});

test('all answers are JSON, and no session is opened', async () => {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  };
  const older = await send(app, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
  const newer = await sendCurrent(app, 'tools/list');
  for (const { status, headers } of [older, newer]) {
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('mcp-session-id')).toBeNull();
  }
  expect(await older.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  expect(await newer.json()).toMatchObject({ result: { ttlMs: 300_000, cacheScope: 'private' } });
});

test('a subscription ends at once, because nothing changes', async () => {
  const notifications = { toolsListChanged: true };
  const text = await (await sendCurrent(app, 'subscriptions/listen', { notifications })).text();
  expect(text).toContain('notifications/subscriptions/acknowledged');
  expect(text).toContain('"resultType":"complete"');
});

test('a notification has no answer', async () => {
  const response = await send(app, { jsonrpc: '2.0', method: 'notifications/initialized' });
  expect([response.status, await response.text()]).toEqual([202, '']);
});

test.each([
  ['no JSON', '{', -32700],
  ['an empty object', '{}', -32600],
  ['nothing', '', -32700],
])('%s is a protocol error', async (_, body, code) => {
  const response = await send(app, body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code }, id: null });
});

test('an unknown revision is refused with the known revisions', async () => {
  const response = await sendCurrent(app, 'tools/list', {}, '2099-01-01');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { data: { supported: [current] } } });
});

test.each<[string, unknown, Record<string, string>, number, string]>([
  ['a batch', ' [{}]', {}, 400, 'The body is a batch of messages. Send each message in a separate request.'],
  ['65 KiB', 'x'.repeat(65 * 1024), {}, 413, 'The body is longer than 64 KiB. Send a shorter one.'],
  [
    'another content type',
    '{}',
    { 'content-type': 'text/plain' },
    415,
    'The content type is "text/plain", but must be application/json. Send the body as JSON.',
  ],
])('%s is refused with a problem document', async (_, body, headers, status, detail) => {
  const response = await send(app, body, headers);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ status, detail });
});

test('ignores headers that are unknown or not Latin', async () => {
  const { status } = await app({
    method: 'POST',
    ...addressOf('http://localhost/mcp'),
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'content-length': '7',
      'mcp-name': '日本',
      cookie: '日本',
    },
    body: [Buffer.from(JSON.stringify(list))],
    requestId: 'id',
  });
  expect(status).toBe(200);
});

test.each(['GET', 'HEAD', 'DELETE', 'PUT'])('%s is not allowed', async (method) => {
  const response = await request(app, '/mcp', { method });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST, OPTIONS');
});

describe('with API keys', () => {
  const keyed = createApp(new SearchDouble(), {
    ...silent,
    apiKeys: new Map([['bot', { digest: digestOf('ps_key') }]]),
  });

  test('a request without a key is refused, with the scheme to use', async () => {
    const response = await send(keyed, list);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    await expect(clientOf(keyed)).rejects.toThrow();
  });

  test.each<Record<string, string>>([{ authorization: 'Bearer ps_key' }, { 'x-api-key': 'ps_key' }])(
    'a client that sends %o is answered',
    async (headers) => {
      for (const revision of REVISIONS) {
        const client = await clientOf(keyed, { revision, headers });
        const result = await client.callTool({ name: 'search', arguments: { query: 'passport' } });
        expect(structured(result).results).toHaveLength(1);
      }
    },
  );
});
