import { gzipSync } from 'node:zlib';
import { loadPage, loadWidget } from '#assets';
import type { HttpRequest, HttpResponse } from './http.ts';

type Responder = (request: HttpRequest) => HttpResponse;

function atFirst(load: () => Promise<Responder>): (request: HttpRequest) => Promise<HttpResponse> {
  let loaded: Promise<Responder> | undefined;
  return async (request) => {
    loaded ??= load();
    return (await loaded)(request);
  };
}

export const servePage = atFirst(async () => {
  const { html, policy } = await loadPage();
  return respondWith(html, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    vary: 'accept, accept-encoding',
  });
});

export const serveWidget = atFirst(async () => {
  const script = await loadWidget();
  // Not imported: the page does without it, and it takes 3 ms to load.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digest = createHash('sha256').update(script).digest('base64url');
  // Weak, because the compressed bytes are the same script.
  const etag = `W/"${digest.slice(0, 22)}"`;
  const headers = {
    'content-type': 'text/javascript; charset=utf-8',
    // An hour until a site gets the widget of a new version. Meanwhile the endpoint answers both.
    'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
    // Browsers load a module of another origin only with this header.
    'access-control-allow-origin': '*',
    etag,
    vary: 'accept-encoding',
  };
  const respond = respondWith(script, headers);
  return (request) =>
    request.headers['if-none-match']?.includes(etag) ? { status: 304, headers, body: '' } : respond(request);
});

/** Answers with a text, compressed for clients that accept it. API Gateway does not compress the answers of an HTTP API. */
function respondWith(text: string, headers: Record<string, string>): Responder {
  const compressed = gzipSync(text, { level: 9 }).toString('base64');
  return ({ headers: sent }) => {
    const acceptsGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(sent['accept-encoding'] ?? '');
    if (!acceptsGzip) return { status: 200, headers, body: text };
    const encoded = { ...headers, 'content-encoding': 'gzip' };
    return { status: 200, headers: encoded, body: compressed, isBase64Encoded: true };
  };
}
