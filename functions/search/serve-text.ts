import { gzipSync } from 'node:zlib';
import type { HttpRequest, HttpResponse } from './http.ts';

/**
 * Makes a handler that answers with a text, compressed for clients that accept it. API Gateway does not compress the answers of an HTTP
 * API.
 * @param headers those of the answer; `vary` gets `accept-encoding`
 */
export function serveText(
  text: string,
  { vary, ...headers }: Record<string, string>,
): (request: HttpRequest) => HttpResponse {
  const compressed = gzipSync(text, { level: 9 }).toString('base64');
  const common = { ...headers, vary: [vary, 'accept-encoding'].filter(Boolean).join(', ') };
  return ({ headers: sent }) => {
    const acceptsGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(sent['accept-encoding'] ?? '');
    if (!acceptsGzip) return { status: 200, headers: common, body: text };
    return {
      status: 200,
      headers: { ...common, 'content-encoding': 'gzip' },
      body: compressed,
      isBase64Encoded: true,
    };
  };
}
