import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { script } from '#widget';
import type { HttpRequest, HttpResponse } from '../http.ts';

/** Weak, because the compressed bytes are the same script. */
const etag = `W/"${createHash('sha256').update(script).digest('base64url').slice(0, 22)}"`;

// API Gateway does not compress the answers of an HTTP API.
const compressed = gzipSync(script, { level: 9 }).toString('base64');

const headers = {
  'content-type': 'text/javascript; charset=utf-8',
  // An hour until a site gets the widget of a new version. Meanwhile the endpoint answers both.
  'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
  // Browsers load a module of another origin only with this header.
  'access-control-allow-origin': '*',
  vary: 'accept-encoding',
  etag,
};

/** Answers `GET /widget.js`. */
export function serveWidget({ headers: sent }: HttpRequest): HttpResponse {
  if (sent['if-none-match']?.includes(etag)) return { status: 304, headers, body: '' };
  const acceptsGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(sent['accept-encoding'] ?? '');
  if (!acceptsGzip) return { status: 200, headers, body: script };
  return {
    status: 200,
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: compressed,
    isBase64Encoded: true,
  };
}
