import { readEvent } from '../../functions/builder/event.ts';
import { createApp } from '../../functions/search/app.ts';
import { readApiKeys } from '../../functions/search/auth.ts';
import { createHandler } from '../../functions/search/handler.ts';
import type { App, HttpRequest, HttpResponse } from '../../functions/search/http.ts';
import { readOrigins } from '../../functions/search/origins.ts';
import { decodePath } from '../../functions/search/paths.ts';
import { readTokens } from '../../functions/search/tokens.ts';
import { addressOf } from '../functions/search/ask.ts';
import { SearchDouble } from '../functions/search/search-double.ts';
import { expectClear, jsonObject, type Target } from './target.ts';

const search = new SearchDouble();
const collections = new Map([['guides', async () => search]]);
const sha256 = 'b5a5a7d2a4a8f3b3a5a9a4f6a1d2b7c1d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4';
const keys = readApiKeys(JSON.stringify({ one: sha256, two: { sha256, origins: ['https://example.com'] } }));
// No request reaches an issuer: port 9 (discard) refuses connections.
const tokens = readTokens({
  JWT_ISSUER: 'http://127.0.0.1:9',
  JWT_AUDIENCE: 'polyseek',
  JWT_SCOPE: 'search',
});

const open = createApp(search, { log: () => {}, collections });
const closed = createApp(search, {
  log: () => {},
  collections,
  apiKeys: keys,
  tokens,
  origins: readOrigins('https://example.com'),
});

/** Throws unless the endpoint answers, or refuses with a problem document that a caller can understand. */
async function expectAnswer(app: App, request: Partial<HttpRequest>): Promise<void> {
  search.requests.length = 0;
  const address = addressOf('http://localhost/search');
  expectProblem(await app({ method: 'GET', ...address, headers: {}, body: [], requestId: 'id', ...request }));
}

function expectProblem({ status, headers, body }: HttpResponse): void {
  if (status < 300) return;
  const known = [400, 401, 403, 404, 405, 406, 413, 415, 499, 503].includes(status);
  if (!known) throw new Error(`Status ${status}: ${body}`);
  // MCP has error messages of its own.
  if (body === '' || body.startsWith('{"jsonrpc"')) return;
  const { status: stated, detail } = JSON.parse(body) as { status: unknown; detail: unknown };
  const isDocument = headers['content-type'] === 'application/problem+json; charset=utf-8';
  if (!isDocument || stated !== status || !/^[\s\S]+\.$/.test(String(detail)))
    throw new Error(`Not a problem document: ${body}`);
}

const JSON_BODY = { 'content-type': 'application/json' };

/** The endpoint, and the events of the functions. */
export const requestTargets: Record<string, Target> = {
  'request-query': (input) =>
    expectAnswer(open, addressOf(`http://localhost/search?${input.toString().replace(/#/g, '%23')}`)),
  'request-body': (input) => expectAnswer(open, { method: 'POST', headers: JSON_BODY, body: [input] }),
  'request-mcp': (input) => {
    const headers = { ...JSON_BODY, accept: 'application/json, text/event-stream' };
    return expectAnswer(open, {
      ...addressOf('http://localhost/mcp'),
      method: 'POST',
      headers,
      body: [input],
    });
  },
  'request-path': async (input) => {
    const address = addressOf('http://localhost');
    for (const path of [`/${input}`, decodePath(`/${input}`)])
      for (const method of ['GET', 'POST', 'OPTIONS']) await expectAnswer(open, { ...address, path, method });
  },
  // Lines of names and values, then a body.
  'request-headers': async (input) => {
    const [head = '', ...body] = input.toString('latin1').split('\n\n');
    const headers: Record<string, string> = {};
    for (const line of head.split('\n')) {
      const [name = '', ...value] = line.split(':');
      headers[name.toLowerCase()] = value.join(':').trim();
    }
    const sent = { method: 'POST', headers, body: [Buffer.from(body.join('\n\n'), 'latin1')] };
    await expectAnswer(open, sent);
    await expectAnswer(closed, sent);
    await expectAnswer(closed, { ...sent, ...addressOf('http://localhost/browser/search') });
  },
  'request-event': (input) => {
    const event = jsonObject(input);
    // Lambda sends JSON only.
    if (!event) return;
    const handler = createHandler(open);
    return expectClear('', async () => {
      const result = await handler(event);
      if ('statusCode' in result) {
        const { statusCode: status, headers, body } = result;
        expectProblem({ status, headers, body });
      }
    });
  },
  'build-event': (input) => {
    const event = jsonObject(input);
    return event && expectClear('The event', () => readEvent(event));
  },
};
