import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { App } from './http.ts';

/** The address that a request names; undefined where its target or its `Host` is not valid (RFC 9112, 3.2). */
function addressOf({ url: target = '', headers: { host = '' } }: IncomingMessage): URL | undefined {
  const valid = target.startsWith('/') && /^[^/?#@\\\s]+$/.test(host);
  // A client may also send the whole address, as to a proxy.
  const address = valid ? `http://${host}${target}` : target;
  return /^https?:\/\//i.test(address) && URL.canParse(address) ? new URL(address) : undefined;
}

/** A server of Node that answers with an app. Of a client that goes away before its answer, only the log tells. */
export function createAppServer(app: App): Server {
  return createServer({ joinDuplicateHeaders: true }, async (request, response) => {
    const url = addressOf(request);
    if (!url) {
      response.writeHead(400).end();
      return;
    }
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    const answer = await app({
      method: request.method ?? 'GET',
      url,
      headers: Object.fromEntries(headers),
      // A body that is not read to its end stays a stream, whose rest can be dropped below.
      body: request.iterator({ destroyOnReturn: false }),
      requestId: randomUUID(),
    });
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    response.end(answer.body);
    // What is left of the body must be read, or else no further request of the connection is.
    request.resume();
  });
}
