import { Problem } from './problems.ts';

/** Callers that a server accepts besides its own pages. */
export interface Access {
  /** Origins whose pages may call, such as `https://app.example`; `*` for any. */
  origins?: readonly string[] | undefined;
  /** The host name that the server binds. Callers may use it over http. */
  host?: string | undefined;
}

/** Whether a URL's host name means this machine. */
export const isLoopback = (hostname: string): boolean => /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);

/** The public URL of the app that a request reached, without a final slash. */
export const baseUrl = ({ url, prefix = '' }: { url: URL; prefix?: string }): string => url.origin + prefix;

const isAddress = (hostname: string) => /^(\d+\.){3}\d+$|^\[/.test(hostname);

/** The origins in the environment variable `CORS_ORIGINS`, which separates them by commas. */
export function readOrigins(text = ''): string[] {
  return text.split(',').flatMap((origin) => origin.trim() || []);
}

/** Adds `vary: origin` to an answer's headers, for caches: the answer depends on the page's origin. */
export function varyByOrigin(headers: Record<string, string>): Record<string, string> {
  const names = headers.vary?.split(', ') ?? [];
  return names.includes('origin') ? headers : { ...headers, vary: [...names, 'origin'].join(', ') };
}

/**
 * Throws a 403 `Problem` for a request that a page of another site may have caused. Programs other than browsers send no origin.
 * - Over https, a certificate proves the server's name: a page must have the same origin or a listed one.
 * - Over http, anyone can point a name that they own at this server (DNS rebinding). The request's host must therefore be `localhost`,
 *   an IP address, the name that the server binds, or the host of a listed origin. Pages on this machine may call a server on it.
 */
export function checkOrigin(url: URL, origin: string | undefined, { origins = [], host }: Access): void {
  if (origins.includes('*')) return;
  const { hostname } = url;
  const listed = () => origins.some((one) => URL.canParse(one) && new URL(one).hostname === hostname);
  const isKnown = () =>
    hostname === 'localhost' || isAddress(hostname) || hostname === host?.toLowerCase() || listed();
  if (url.protocol !== 'https:' && !isKnown()) {
    throw new Problem(
      403,
      `This server does not know the host name ${JSON.stringify(hostname)}. Set HOST to it, or list its origin in CORS_ORIGINS.`,
    );
  }
  if (origin === undefined || origin === url.origin || origins.includes(origin)) return;
  const isLocal = URL.canParse(origin) && isLoopback(new URL(origin).hostname);
  if (url.protocol !== 'https:' && isLocal && isLoopback(hostname)) return;
  throw new Problem(
    403,
    `Pages of the origin ${JSON.stringify(origin)} may not call this endpoint. List the origin in the setting cors, or in CORS_ORIGINS of npx polyseek start.`,
  );
}

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
