import { InvalidRequest } from '../../index/search/answer.ts';
import { now } from '../../index/search/clock.ts';
import { type ApiKeys, authenticate } from './auth.ts';
import { type LogEntry, type LogFields, writeEntry } from './log.ts';
import { type Access, checkOrigin } from './origins.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';

/** A request, whatever the host. Fetch's `Request` would take Node about 20 ms to load. */
export interface HttpRequest {
  method: string;
  /** The public URL, without `prefix`. */
  url: URL;
  /** Start of the path that a gateway removed, such as `/prod`. */
  prefix?: string;
  /** Keyed by lower-case name; several values of one name are joined by `, `. */
  headers: Readonly<Record<string, string | undefined>>;
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  requestId: string;
  /** Whether AWS has authorized the caller, who then needs no API key. */
  authorized?: boolean;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  /** Bytes if they are compressed. */
  body: string | Uint8Array;
}

/** Answers every request. Wrong requests and failures get an error response. */
export type App = (request: HttpRequest) => Promise<HttpResponse>;

/** Adds fields to the request's log entry. */
export type AddToLog = (fields: LogFields) => void;

/**
 * Answers a request of one route. May throw a `Problem` or an `InvalidRequest`; any other error becomes a 500.
 * @param rest decoded end of the path, for a route whose path ends in `:` and a name
 */
export type RouteHandler = (
  request: HttpRequest,
  addToLog: AddToLog,
  rest: string,
) => HttpResponse | Promise<HttpResponse>;

/** A path and its handlers; `GET` answers HEAD too. */
export interface Route {
  /** Ends in `:` and a name where any text may follow. The log contains this pattern instead of the path. */
  path: string;
  GET?: RouteHandler;
  POST?: RouteHandler;
  /** Whether a request needs no API key. */
  isOpen?: (request: HttpRequest) => boolean;
  /** Whether pages of any site may load it, without a key. */
  isPublic?: boolean;
}

export interface DispatchOptions extends Access {
  /** A request must send one of these keys. Without them, anyone may call. */
  apiKeys?: ApiKeys | undefined;
  /** Receives each log entry. Default: writes it to standard output. */
  log?: (entry: LogEntry) => void;
}

/** Decodes a path as an API Gateway HTTP API does. Escapes that are not UTF-8 stay as they are. */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** The end of a path that a route's `:name` matches, or '' for a route without one; undefined if the route does not match. */
function restOf(path: string, route: Route): string | undefined {
  const [start = '', name] = route.path.split(':');
  if (name === undefined) return path === start ? '' : undefined;
  return path.startsWith(start) && path.length > start.length ? path.slice(start.length) : undefined;
}

function findRoute(routes: Route[], path: string): { route: Route; rest: string } | undefined {
  for (const route of routes) {
    const rest = restOf(path, route);
    if (rest !== undefined) return { route, rest };
  }
  return undefined;
}

function handlerOf({ GET, POST }: Route, method: string): RouteHandler | undefined {
  if (method === 'POST') return POST;
  return method === 'GET' || method === 'HEAD' ? GET : undefined;
}

function allowedBy({ GET, POST }: Route): string {
  return [GET && 'GET, HEAD', POST && 'POST', 'OPTIONS'].filter(Boolean).join(', ');
}

async function toProblem(error: unknown, requestId: string, addToLog: AddToLog): Promise<Problem> {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidRequest) return new Problem(400, error.message);
  // Imported here because Node takes milliseconds to load it.
  const { inspect } = await import('node:util');
  addToLog({ error: inspect(error) });
  return new Problem(500, `The search failed. The log contains the cause under request ${requestId}.`);
}

/** Makes an app of routes. Other requests get a problem document (RFC 9457). Logs one entry per request. */
export function dispatch(routes: Route[], options: DispatchOptions): App {
  const { apiKeys, log = writeEntry } = options;
  return async (request) => {
    const started = now();
    const { method, requestId } = request;
    const fields: LogFields = {};
    const addToLog: AddToLog = (more) => Object.assign(fields, more);
    const found = findRoute(routes, decode(request.url.pathname));
    const allow = found && allowedBy(found.route);

    async function answer(): Promise<HttpResponse> {
      if (!found?.route.isPublic) checkOrigin(request.url, request.headers.origin, options);
      // A browser's CORS preflight does not contain the key.
      const isOpen = found?.route.isPublic || found?.route.isOpen?.(request);
      if (apiKeys && method !== 'OPTIONS' && !request.authorized && !isOpen) {
        addToLog({ key: authenticate(request.headers, apiKeys) });
      }
      if (!found) throw new Problem(404, 'Not found. GET / lists the routes.');
      const handler = handlerOf(found.route, method);
      if (handler) return handler(request, addToLog, found.rest);
      if (method === 'OPTIONS') return { status: 204, headers: {}, body: '' };
      throw new Problem(405, `${method} is not supported here. Use one of ${allow}.`);
    }

    const response = await answer().catch(async (error: unknown): Promise<HttpResponse> => {
      const problem = await toProblem(error, requestId, addToLog);
      return { status: problem.status, headers: problemHeaders, body: problemJson(problem, requestId) };
    });

    const { status } = response;
    log({
      timestamp: new Date().toISOString(),
      level: status >= 500 ? 'ERROR' : 'INFO',
      requestId,
      method,
      route: found?.route.path ?? '/*',
      status,
      ms: Math.round((now() - started) * 10) / 10,
      ...fields,
    });
    return {
      status,
      headers: {
        ...response.headers,
        ...(status === 401 && { 'www-authenticate': 'Bearer' }),
        ...((status === 204 || status === 405) && allow && { allow }),
        'x-request-id': requestId,
        'x-content-type-options': 'nosniff',
      },
      body: method === 'HEAD' ? '' : response.body,
    };
  };
}
