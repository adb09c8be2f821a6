import type { Search } from '../../index/search/answer.ts';
import { now } from '../../index/search/clock.ts';
import { isInvalidRequest, isUnavailable } from '../../index/store/store.ts';
import { type ApiKeys, authenticate, browserOrigins, mayUse, refusalOf } from './auth.ts';
import { type LogEntry, type LogFields, writeEntry } from './log.ts';
import { type Access, checkOrigin, varyByOrigin } from './origins.ts';
import { type SplitPath, splitPath } from './paths.ts';
import { Problem, problemResponse } from './problems.ts';
import { authenticateToken, challenge, metadataUrl, type TokenVerifier } from './tokens.ts';

/** When callers may try again if the store could not be read. */
const RETRY_AFTER_SECONDS = 5;

/** A request, whatever the host. Fetch's `Request` would take Node about 20 ms to load. */
export interface HttpRequest {
  method: string;
  /** The public host and the query. */
  url: URL;
  /** The decoded path, without `prefix`. */
  path: string;
  /** Start of the path that a gateway removed, such as `/prod`. */
  prefix?: string;
  /** Keyed by lower-case name; several values of one name are joined by `, `. */
  headers: Readonly<Record<string, string | undefined>>;
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  requestId: string;
  /** Whether AWS has authorized the caller, who then needs no API key. */
  authorized?: boolean;
  /** Whether the host writes messages of errors into its log, so that they must not quote the caller. */
  logsErrors?: boolean;
}

/**
 * A request for a route. `path` is only the route's; `prefix` ends in the start that `splitPath` took off, so that addresses
 * made of it lead to the same index.
 */
export interface RoutedRequest extends HttpRequest {
  /** The collection to answer from, which exists; undefined for the default index. */
  collection: string | undefined;
  /** Names of all collections that the caller may use. */
  collections: readonly string[];
  /** Groups that the caller belongs to, whose restricted documents it may read. */
  groups: readonly string[];
  /** The decoded end of the path, for a route whose path ends in `:` and a name; '' for others. */
  rest: string;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Whether the body is Base64 of bytes, such as compressed ones. */
  isBase64Encoded?: boolean;
  /** Writes the body in parts, instead of `body`. Only a host that declares such a route can send it. */
  stream?: (write: (text: string) => void, signal: AbortSignal) => Promise<void>;
}

/** Answers every request. Wrong requests and failures get an error response. */
export type App = (request: HttpRequest) => Promise<HttpResponse>;

export type AddToLog = (fields: LogFields) => void;

/** Answers a request. May throw a `Problem`, an `InvalidRequest` (400) or `Unavailable` (503); any other error becomes a 500. */
type RouteHandler = (request: RoutedRequest, addToLog: AddToLog) => HttpResponse | Promise<HttpResponse>;

/** A path and its handlers; `GET` answers HEAD too. */
export interface Route {
  /** Ends in `:` and a name where any text may follow. The log contains this pattern instead of the path. */
  path: string;
  GET?: RouteHandler;
  POST?: RouteHandler;
  /** Whether a request needs no API key. */
  isOpen?: (request: HttpRequest) => boolean;
  /** Whether pages of any origin may load it, without a key: it contains no data. */
  isPublic?: boolean;
  /** Whether a browser key is enough. */
  searches?: boolean;
}

export interface DispatchOptions extends Access {
  /** A request must send one of these keys, or a token. Without keys and `tokens`, anyone may call. */
  apiKeys?: ApiKeys | undefined;
  /** A request may send an access token instead of a key. Without keys, it must. */
  tokens?: TokenVerifier | undefined;
  /** Opens each further index, by its name. */
  collections?: ReadonlyMap<string, () => Promise<Search>>;
  /** Groups of callers who need neither key nor token. Default: none. */
  groups?: readonly string[];
  /** Receives each log entry. Default: writes it to standard output. */
  log?: (entry: LogEntry) => void;
}

/** An IP address, as infra/http-endpoint.ts sends it. */
const VIEWER = /^[\da-f.:]{2,45}$/i;

/** The end of a path that a route's `:name` matches, or '' for a route without one; undefined if the route does not match. */
function restOf(path: string, route: Route): string | undefined {
  const [start = '', name] = route.path.split(':');
  if (name === undefined) return path === start ? '' : undefined;
  return path.startsWith(start) && path.length > start.length ? path.slice(start.length) : undefined;
}

function handlerOf({ GET, POST }: Route, method: string): RouteHandler | undefined {
  if (method === 'POST') return POST;
  return method === 'GET' || method === 'HEAD' ? GET : undefined;
}

const allowedBy = ({ GET, POST }: Route) =>
  [GET && 'GET, HEAD', POST && 'POST', 'OPTIONS'].filter(Boolean).join(', ');

async function toProblem(
  error: unknown,
  { requestId, logsErrors }: HttpRequest,
  addToLog: AddToLog,
): Promise<Problem> {
  if (error instanceof Problem) return error;
  if (isInvalidRequest(error)) return new Problem(400, logsErrors ? error.unquoted : error.message);
  // Imported here because Node takes milliseconds to load it.
  const { inspect } = await import('node:util');
  addToLog({ error: inspect(error) });
  if (isUnavailable(error))
    return new Problem(503, error.message, { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } });
  return new Problem(500, `The search failed. The log contains the cause under request ${requestId}.`);
}

/** Makes an app of routes. Other requests get a problem document (RFC 9457). Logs one entry per request. */
export function dispatch(routes: Route[], options: DispatchOptions): App {
  const { tokens, collections = new Map(), log = writeEntry } = options;
  return async (received) => {
    const started = now();
    const { method, requestId, headers } = received;
    const { prefix, browser, path, collection } = splitPath(received.path);
    const request = { ...received, path, prefix: (received.prefix ?? '') + prefix };
    const route = routes.find((one) => restOf(path, one) !== undefined);
    const fields: LogFields = {};
    const addToLog: AddToLog = (more) => Object.assign(fields, more);
    if (collection !== undefined && collections.has(collection)) addToLog({ collection });

    const arrival = { received, request, browser, collection, route, addToLog };
    const response = await answer(arrival, options).catch(async (error: unknown) => {
      const problem = await toProblem(error, request, addToLog);
      // API Gateway renames the header that contains it.
      const resource = tokens && problem.status === 401 && { resource_metadata: metadataUrl(received) };
      return problemResponse(problem, requestId, resource || {});
    });

    const { status } = response;
    const { 'x-polyseek-viewer': viewer = '' } = headers;
    log({
      timestamp: new Date().toISOString(),
      level: status >= 500 ? 'ERROR' : 'INFO',
      requestId,
      method,
      route: route?.path ?? '/*',
      status,
      ms: Math.round((now() - started) * 10) / 10,
      ...(VIEWER.test(viewer) && { viewer }),
      ...fields,
    });
    return {
      ...response,
      headers: {
        ...(status === 401 && { 'www-authenticate': tokens ? challenge(received, tokens) : 'Bearer' }),
        ...(browser ? varyByOrigin(response.headers) : response.headers),
        ...((status === 204 || status === 405) && route && { allow: allowedBy(route) }),
        'x-request-id': requestId,
        'x-content-type-options': 'nosniff',
      },
      ...(method === 'HEAD' && { body: '' }),
    };
  };
}

interface Arrival extends Pick<SplitPath, 'browser' | 'collection'> {
  /** As the host received it. */
  received: HttpRequest;
  /** With the path of the route. */
  request: HttpRequest;
  route: Route | undefined;
  addToLog: AddToLog;
}

async function answer(arrival: Arrival, options: DispatchOptions): Promise<HttpResponse> {
  const { request, browser, collection, route, addToLog } = arrival;
  const { method, url, headers, path } = request;
  const { origins = [], apiKeys } = options;
  const access = browser ? { ...options, origins: [...origins, ...browserOrigins(apiKeys)] } : options;
  if (!route?.isPublic) checkOrigin(url, headers.origin, access);
  const usable = await authorize(arrival, options);
  // Strangers must not learn which collections exist.
  if (usable && collection !== undefined && !usable.collections.includes(collection))
    throw new Problem(404, 'There is no such collection. GET / lists the collections.');
  if (!route) throw new Problem(404, 'Not found. GET / lists the routes.');
  const handler = handlerOf(route, method);
  const rest = restOf(path, route)!;
  const { collections = [], groups = [] } = usable ?? {};
  if (handler) return handler({ ...request, collection, collections, groups, rest }, addToLog);
  if (method === 'OPTIONS') return { status: 204, headers: {}, body: '' };
  throw new Problem(405, `${method} is not supported here. Use one of ${allowedBy(route)}.`);
}

/** What the caller may use; undefined if the request needs no key and has not proved one. */
async function authorize(
  { received, request, browser, collection, route, addToLog }: Arrival,
  { apiKeys, tokens, collections = new Map(), groups }: DispatchOptions,
): Promise<{ collections: string[]; groups?: readonly string[] | undefined } | undefined> {
  const { method, url, headers, authorized } = request;
  const names = [...collections.keys()];
  if (authorized) return { collections: names };
  if (!apiKeys && !tokens) return { collections: names, groups };
  // A browser's CORS preflight contains neither key nor token.
  if (method === 'OPTIONS' || route?.isPublic || route?.isOpen?.(request)) return undefined;
  const bearer = tokens && (await authenticateToken(received, tokens, apiKeys !== undefined, addToLog));
  if (bearer) {
    addToLog({ subject: bearer.subject });
    return { collections: names, groups: bearer.groups };
  }
  const key = authenticate(headers, apiKeys ?? new Map());
  addToLog({ key: key.name });
  const searches = !route || route.searches === true;
  const refusal = refusalOf(key, { url, headers, browser, collection, searches });
  if (refusal) throw new Problem(403, refusal);
  return { collections: names.filter((name) => mayUse(key, name)), groups: key.groups };
}
