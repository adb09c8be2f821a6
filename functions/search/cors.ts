import type { App } from './http.ts';
import { varyByOrigin } from './origins.ts';

/** What pages of other origins may send and read (CORS). The stack configures API Gateway with the same. */
export const CORS = {
  methods: ['GET', 'POST'],
  requestHeaders: [
    'authorization',
    'content-type',
    'x-api-key',
    'mcp-protocol-version',
    'mcp-method',
    'mcp-name',
  ],
  responseHeaders: ['x-request-id', 'www-authenticate'],
  /** How long a browser may keep the answer to a preflight. */
  maxAgeSeconds: 3600,
} as const;

/**
 * Adds CORS headers to an app's answers, for hosts without a gateway that does so.
 * @param origins those whose pages may call; `*` for any
 */
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
