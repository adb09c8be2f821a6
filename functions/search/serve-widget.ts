import { createHash } from 'node:crypto';
import { script } from '#widget';
import type { HttpRequest, HttpResponse } from './http.ts';
import { serveText } from './serve-text.ts';

const headers = {
  'content-type': 'text/javascript; charset=utf-8',
  // An hour until a site gets the widget of a new version. Meanwhile the endpoint answers both.
  'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
  // Browsers load a module of another origin only with this header.
  'access-control-allow-origin': '*',
  // Weak, because the compressed bytes are the same script.
  etag: `W/"${createHash('sha256').update(script).digest('base64url').slice(0, 22)}"`,
};

const serveScript = serveText(script, headers);

/** Answers `GET /widget.js`. */
export function serveWidget(request: HttpRequest): HttpResponse {
  const isKnown = request.headers['if-none-match']?.includes(headers.etag);
  if (!isKnown) return serveScript(request);
  return { ...serveScript({ ...request, headers: {} }), status: 304, body: '' };
}
