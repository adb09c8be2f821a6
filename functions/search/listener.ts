import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { App, HttpRequest } from './http.ts';
import { decodePath } from './paths.ts';

/** The address of a request; undefined if its target or its `Host` is not valid (RFC 9112, 3.2). */
function addressOf({
  url: target = '',
  headers: { host = '' },
}: IncomingMessage): Pick<HttpRequest, 'url' | 'path'> | undefined {
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
    response.end(answer.body, answer.isBase64Encoded ? 'base64' : 'utf8');
    // The rest of the body must be read before the connection's next request.
    request.resume();
  });
}
