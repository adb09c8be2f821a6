import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { App, HttpRequest, HttpResponse } from './http.ts';
import { CORS, varyByOrigin } from './origins.ts';
import { decodePath } from './paths.ts';
import { Problem, problemResponse } from './problems.ts';

/** The address of a request; undefined if its target or its `Host` is not valid (RFC 9112, 3.2). */
function addressOf({ url: target = '', headers }: IncomingMessage): { url: URL; path: string } | undefined {
  const { host = '' } = headers;
  const root = `http://${host}`;
  if (!/^[^/?#@\\\s]+$/.test(host) || !URL.canParse(root)) return undefined;
  // A client may also send the whole URL, as to a proxy, with the same host.
  const isWhole = target.slice(0, root.length).toLowerCase() === root.toLowerCase();
  const [, path, query] =
    /^(\/[^?#]*)([^#]*)/.exec(isWhole ? target.slice(root.length) || '/' : target) ?? [];
  return path === undefined ? undefined : { url: new URL(`${root}/${query}`), path: decodePath(path) };
}

/** Ends connections whose requests do not arrive. Node would wait for a minute, and look every 30 s. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2000 };

/** Node's HTTP server for an app. Disconnected clients appear only in the log. */
export function createAppServer(app: App): Server {
  return createServer({ joinDuplicateHeaders: true, ...LIMITS }, async (request, response) => {
    const address = addressOf(request);
    if (!address) {
      response.writeHead(400).end();
      return;
    }
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    const answer = await app({
      method: request.method ?? 'GET',
      ...address,
      headers: Object.fromEntries(headers),
      // Without this, leaving the loop over a body would destroy the connection before the answer is sent.
      body: request.iterator({ destroyOnReturn: false }),
      requestId: randomUUID(),
    });
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    if (answer.stream) {
      const closed = new AbortController();
      response.once('close', () => closed.abort()).flushHeaders();
      await answer.stream((text) => response.write(text), closed.signal);
    }
    response.end(answer.body, answer.isBase64Encoded ? 'base64' : 'utf8');
    // The rest of the body must be read before the connection's next request.
    request.resume();
  });
}

/** Adds CORS headers to answers to pages of these origins, `*` for any. AWS's gateway does this for a deployed function. */
export function withCors(app: App, origins: readonly string[]): App {
  return async (request) => {
    const response = await app(request);
    const { origin, 'access-control-request-method': requestedMethod } = request.headers;
    const headers = { ...varyByOrigin(response.headers) };
    if (origin !== undefined && (origins.includes('*') || origins.includes(origin))) {
      headers['access-control-allow-origin'] = origin;
      headers['access-control-expose-headers'] = CORS.responseHeaders.join(', ');
      if (request.method === 'OPTIONS' && requestedMethod !== undefined) {
        headers['access-control-allow-methods'] = CORS.methods.join(', ');
        headers['access-control-allow-headers'] = CORS.requestHeaders.join(', ');
        headers['access-control-max-age'] = String(CORS.maxAgeSeconds);
      }
    }
    return { ...response, headers };
  };
}

/** Requests that may wait. An answer takes milliseconds, so the last one waits for about a second. */
const MOST_WAITING = 256;
/** Rounds of the event loop between two requests. In each, Node accepts one connection. */
const ROUNDS = 16;

/**
 * Starts one request at a time, as a search uses the processor alone. A server that gets more than it can answer refuses the rest at once:
 * in an endless line, no caller would get an answer in time.
 */
export function withQueue(app: App, most = MOST_WAITING): App {
  const waiting: (() => void)[] = [];
  let isRunning = false;
  const startNext = () => {
    waiting.shift()?.();
    afterRounds(ROUNDS, () => {
      isRunning = waiting.length > 0;
      if (isRunning) startNext();
    });
  };
  return (request) => {
    if (waiting.length >= most) return Promise.resolve(refusal(request));
    return new Promise((resolve) => {
      waiting.push(() => resolve(app(request)));
      if (isRunning) return;
      isRunning = true;
      setImmediate(startNext);
    });
  };
}

/** Lets the server receive requests first, so that it can refuse those that are too many. */
function afterRounds(rounds: number, next: () => void): void {
  setImmediate(() => (rounds > 1 ? afterRounds(rounds - 1, next) : next()));
}

function refusal({ requestId }: HttpRequest): HttpResponse {
  const headers = { 'retry-after': '1', 'x-request-id': requestId };
  const detail = 'Too many questions wait for an answer. Try again in a second.';
  return problemResponse(new Problem(503, detail, { headers }), requestId);
}
