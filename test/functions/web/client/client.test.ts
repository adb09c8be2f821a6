import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Polyseek, PolyseekError, type PolyseekOptions } from '../../../../functions/web/client/client.ts';

const answer = { q: 'x', answered: false, results: [] };
const right: RequestListener = (_, response) => response.end(JSON.stringify(answer));
const status =
  (code: number, body = '', headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(code, headers).end(body);

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.restoreAllMocks();
});

/** A client of a server that answers each request with the next listener, and later requests with the last. */
async function clientOf(answers: RequestListener[], options: Partial<PolyseekOptions> = {}) {
  const requests: { path?: string; method?: string; authorization?: string }[] = [];
  const server = createServer((request, response) => {
    const { url: path, method, headers } = request;
    requests.push({ path, method, authorization: headers.authorization });
    answers[Math.min(requests.length, answers.length) - 1]!(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address?.port}`;
  return { client: new Polyseek({ url: `${url}/prod/`, ...options }), requests, url };
}

const failure = async (call: Promise<unknown>): Promise<PolyseekError> => {
  const error = await call.catch((reason: unknown) => reason);
  if (error instanceof PolyseekError) return error;
  throw new Error(`No PolyseekError, but ${String(error)}.`);
};

describe('a temporary failure is retried', () => {
  // No delays between attempts.
  beforeEach(() => vi.spyOn(Math, 'random').mockReturnValue(0));

  const cut: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"q":');
    setImmediate(() => response.destroy());
  };
  const gone: RequestListener = ({ socket }) => socket.destroy();
  test.each([
    ['429', status(429)],
    ['500', status(500)],
    ['503', status(503)],
    ['a truncated answer', cut],
    ['a closed connection', gone],
  ])('%s', async (_, wrong) => {
    const { client, requests } = await clientOf([wrong, wrong, wrong, right]);
    expect(await client.search('x')).toEqual(answer);
    expect(requests).toHaveLength(4);
  });

  test('as often as retries allows', async () => {
    const { client, requests } = await clientOf([status(503)], { retries: 2 });
    expect((await failure(client.search('x'))).status).toBe(503);
    expect(requests).toHaveLength(3);
    const once = await clientOf([gone], { retries: 0 });
    const error = await failure(once.client.health());
    expect(error).toMatchObject({
      message: `${once.url}/prod/health cannot be reached. Check the url and the connection.`,
      status: undefined,
    });
    expect(error.cause).toBeInstanceOf(Error);
    expect(once.requests).toHaveLength(1);
  });

  const silent: RequestListener = () => {};
  const halting: RequestListener = (_, response) => response.writeHead(200).write('{');
  test.each([
    ['does not start', silent],
    ['does not end', halting],
  ])('if an answer %s within the timeout', async (_, slow) => {
    const { client, requests } = await clientOf([slow, right], { timeoutMs: 700 });
    expect(await client.search('x')).toEqual(answer);
    expect(requests).toHaveLength(2);
    const hopeless = await clientOf([slow], { timeoutMs: 20, retries: 0 });
    const { message } = await failure(hopeless.client.search('x'));
    expect(message).toBe(
      `${hopeless.url}/prod/search did not answer within 20 ms. Try again, or increase timeoutMs.`,
    );
  });
});

describe('a refusal is reported without a retry', () => {
  test.each([
    ['a problem document', status(400, '{"detail":"k is 0."}', { 'x-request-id': 'r1' }), 'k is 0.', 'r1'],
    [
      'an answer of a gateway',
      status(403, '{"message":"Forbidden"}', { 'apigw-requestid': 'g1' }),
      'Forbidden',
      'g1',
    ],
    ['an empty answer', status(404, 'null'), 'The endpoint returned status 404.', undefined],
  ])('%s', async (_, refuse, message, requestId) => {
    const { client, requests } = await clientOf([refuse]);
    const error = await failure(client.search('x'));
    expect({ ...error, message: error.message }).toMatchObject({ message, requestId });
    expect(requests).toHaveLength(1);
  });

  test('an answer of another server', async () => {
    const { client, requests, url } = await clientOf([status(200, '<html>')]);
    const error = await failure(client.search('x'));
    expect(error.message).toBe(`${url}/prod/search did not return JSON. Check the url.`);
    expect(error.status).toBe(200);
    expect(requests).toHaveLength(1);
  });
});

test('requests contain the path, and the key if set', async () => {
  const { client, requests } = await clientOf([right], { apiKey: 'ps_key' });
  await client.search({ q: 'x', k: 3 });
  await client.passage('guides/a b.md#2', { context: 2 });
  const open = await clientOf([right]);
  await open.client.health();
  const authorization = 'Bearer ps_key';
  expect([...requests, ...open.requests]).toEqual([
    { path: '/prod/search', method: 'POST', authorization },
    { path: '/prod/passages/guides%2Fa%20b.md%232?context=2', method: 'GET', authorization },
    { path: '/prod/health', method: 'GET', authorization: undefined },
  ]);
});

/** Replaces the client's delays with `wait`, which receives the milliseconds. Keeps the timers of the test runner. */
function replaceWaits(wait: (ms: number, done: () => void) => void): void {
  const { setTimeout: real } = globalThis;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((done: () => void, ms: number) => {
    if (!new Error().stack?.includes('functions/web/client/call.ts')) return real(done, ms);
    wait(ms, done);
    return undefined;
  }) as unknown as typeof setTimeout);
}

describe('an abort ends a call with its reason', () => {
  const reason = new Error('The user has left.');

  test('before the first attempt', async () => {
    const { client, requests } = await clientOf([right]);
    await expect(client.search('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(requests).toHaveLength(0);
  });

  test('during an attempt', async () => {
    const controller = new AbortController();
    const { client, requests } = await clientOf([() => controller.abort(reason)]);
    await expect(client.search('x', { signal: controller.signal })).rejects.toBe(reason);
    expect(requests).toHaveLength(1);
  });

  test('between attempts', async () => {
    const controller = new AbortController();
    const { client, requests } = await clientOf([status(503, '', { 'retry-after': '15' })]);
    replaceWaits(() => queueMicrotask(() => controller.abort(reason)));
    await expect(client.search('x', { signal: controller.signal })).rejects.toBe(reason);
    expect(requests).toHaveLength(1);
  });
});

describe('the delay before the next attempt', () => {
  /** The milliseconds between attempts of a client that always receives this answer. */
  async function waits(random: number, init: ResponseInit, retries = 7): Promise<number[]> {
    const found: number[] = [];
    vi.spyOn(Math, 'random').mockReturnValue(random);
    replaceWaits((ms, done) => {
      found.push(ms);
      queueMicrotask(done);
    });
    const client = new Polyseek({
      url: 'http://localhost',
      retries,
      fetch: async () => new Response('', init),
    });
    await failure(client.search('x'));
    vi.restoreAllMocks();
    return found;
  }

  test('is a random part of a time that doubles, up to five seconds', async () => {
    expect(await waits(1, { status: 503 })).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    expect(await waits(0.5, { status: 503 })).toEqual([125, 250, 500, 1000, 2000, 2500, 2500]);
  });

  test('is at least the time that the server requests', async () => {
    expect(await waits(1, { status: 429, headers: { 'retry-after': '2' } }, 5)).toEqual([
      2000, 2000, 2000, 2000, 4000,
    ]);
    const date = new Date(Date.now() + 15_000).toUTCString();
    const [ms = 0] = await waits(0, { status: 429, headers: { 'retry-after': date } }, 1);
    expect(ms).toBeGreaterThan(2_000);
    expect(ms).toBeLessThanOrEqual(15_000);
    const past = { 'retry-after': new Date(0).toUTCString() };
    expect(await waits(1, { status: 503, headers: past }, 1)).toEqual([250]);
    expect(await waits(1, { status: 503, headers: { 'retry-after': 'soon' } }, 1)).toEqual([250]);
  });

  test('is left to the caller if the server requests more than 20 seconds', async () => {
    expect(await waits(1, { status: 429, headers: { 'retry-after': '21' } })).toEqual([]);
    const fetch = async () => new Response('', { status: 429, headers: { 'retry-after': '21' } });
    const error = await failure(new Polyseek({ url: 'http://localhost', fetch }).search('x'));
    expect(error.retryAfterMs).toBe(21_000);
  });
});
