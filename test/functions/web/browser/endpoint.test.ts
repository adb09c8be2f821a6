import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createEndpoint, EndpointError } from '../../../../functions/web/browser/endpoint.ts';

/** What the server does with the next requests, in order. The last one stays. */
let script: ((response: ServerResponse) => void)[] = [];
let requests: { url: string; key: unknown }[] = [];

const json = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  return (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const now = { 'retry-after': '0' };

const server = createServer(({ url = '', headers }, response) => {
  requests.push({ url, key: headers['x-api-key'] });
  (script.length > 1 ? script.shift()! : script[0]!)(response);
});
let base: string;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
});

const get = (signal?: AbortSignal) => createEndpoint({ base }).get<{ x: number }>('search?q=x', signal);
const failure = async () => {
  const error = await get().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(EndpointError);
  return error as EndpointError;
};

test('gets JSON from a path, with the current key', async () => {
  script = [json(200, { x: 1 })];
  let key: string | null = null;
  const endpoint = createEndpoint({ base, key: () => key });
  expect(endpoint.base).toBe(base);
  expect(await endpoint.get('overview')).toEqual({ x: 1 });
  key = 'ps_1';
  await endpoint.get('overview');
  expect(requests).toEqual([
    { url: '/prod/overview', key: undefined },
    { url: '/prod/overview', key: 'ps_1' },
  ]);
});

test.each([429, 502, 503, 504])('repeats a request after status %d', async (status) => {
  script = [json(status, {}, now), json(status, {}, now), json(200, { x: 2 })];
  expect(await get()).toEqual({ x: 2 });
  expect(requests.length).toBe(3);
});

test('repeats a request after a lost connection, also in the middle of the answer', async () => {
  const half = (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"x":');
    response.socket?.end();
  };
  script = [(response) => response.socket?.destroy(), half, json(200, { x: 3 })];
  expect(await get()).toEqual({ x: 3 });
  expect(requests.length).toBe(3);
});

test('gives up after three attempts', async () => {
  script = [(response) => response.writeHead(503, now).end('<html>503</html>')];
  const error = await failure();
  expect([error.status, error.isTransient, error.message]).toEqual([503, true, 'Service Unavailable']);
  expect(requests.length).toBe(3);
});

test('does not repeat a request that would fail again', async () => {
  script = [json(400, { detail: 'k is too large' }), json(403, { message: 'Forbidden by the gateway' })];
  const [first, second] = [await failure(), await failure()];
  expect([first.status, first.isTransient, first.message]).toEqual([400, false, 'k is too large']);
  expect(second.message).toBe('Forbidden by the gateway');
  expect(requests.length).toBe(2);
});

test('leaves a long wait to the person', async () => {
  script = [json(429, {}, { 'retry-after': '3600' })];
  expect((await failure()).retryAfter).toBe(3_600_000);
  script = [json(503, {}, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() })];
  expect((await failure()).retryAfter).toBeGreaterThan(3_000_000);
  expect(requests.length).toBe(2);
});

test('stops at once when it is aborted, also between attempts', async () => {
  const controller = new AbortController();
  script = [
    (response) => {
      json(503, {}, { 'retry-after': '5' })(response);
      // The wait for the second attempt has begun by then.
      response.on('close', () => setTimeout(() => controller.abort(), 50));
    },
  ];
  await expect(get(controller.signal)).rejects.toThrow(/abort/);
  expect(requests.length).toBe(1);
});
