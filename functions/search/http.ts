import { InvalidRequest } from '../../index/search/answer.ts';
import { type ApiKeys, authenticate } from './auth.ts';
import { type LogEntry, type LogFacts, writeEntry } from './log.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';

/** A request as each host hands it over. Not Fetch's `Request`, which Node takes some 20 ms to load. */
export interface HttpRequest {
  method: string;
  /** As reached from outside, but for `prefix`. */
  url: URL;
  /** Start of the path that a gateway took off, such as `/prod`. */
  prefix?: string;
  /** By name in lower case; several values of one name are joined by `, `. */
  headers: Readonly<Record<string, string | undefined>>;
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  requestId: string;
  /** Whether AWS let the caller in, who then needs no API key. */
  authorized?: boolean;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Answers every request, wrong ones and failures included. */
export type App = (request: HttpRequest) => Promise<HttpResponse>;

/** Adds to what the log will say of the request. */
export type Note = (facts: LogFacts) => void;

/**
 * Answers a request of one route. May throw a `Problem` or an `InvalidRequest`; any other error becomes a 500.
 * @param rest what stands in the path, decoded, where the route's has a `:` and a name
 */
export type RouteHandler = (
  request: HttpRequest,
  note: Note,
  rest: string,
) => HttpResponse | Promise<HttpResponse>;

/** A path and what answers there; `GET` answers HEAD too. */
export interface Route {
  /** Ends in `:` and a name where any text may follow. The log names the route by it. */
  path: string;
  GET?: RouteHandler;
  POST?: RouteHandler;
  /** Whether a request is answered without an API key. */
  isOpen?: (request: HttpRequest) => boolean;
}

export interface DispatchOptions {
  /** The keys of which a request needs one; without them, anyone may ask. */
  apiKeys?: ApiKeys | undefined;
  /** Takes each entry of the log; without it, entries go to standard output. */
  log?: (entry: LogEntry) => void;
}

/** Decodes a path as an HTTP API does before the function sees it. Escapes that are not UTF-8 stay as they are. */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** What of a path stands where the route's has a name, '' for a route without one; undefined where the route is another. */
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

async function toProblem(error: unknown, requestId: string, note: Note): Promise<Problem> {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidRequest) return new Problem(400, error.message);
  // Only here, as Node takes milliseconds to load it.
  const { inspect } = await import('node:util');
  note({ error: inspect(error) });
  return new Problem(500, `The search failed. The log has the cause under ${requestId}.`);
}

/** The app that answers with these routes, and with problems where none does. Logs one entry per request. */
export function dispatch(routes: Route[], { apiKeys, log = writeEntry }: DispatchOptions): App {
  return async (request) => {
    const started = performance.now();
    const { method, requestId } = request;
    const facts: LogFacts = {};
    const note: Note = (more) => Object.assign(facts, more);
    const found = findRoute(routes, decode(request.url.pathname));
    const allow = found && allowedBy(found.route);

    async function answer(): Promise<HttpResponse> {
      // A browser asks for permission (CORS preflight) without the key that it will send.
      if (apiKeys && method !== 'OPTIONS' && !request.authorized && !found?.route.isOpen?.(request)) {
        note({ key: authenticate(request.headers, apiKeys) });
      }
      if (!found) throw new Problem(404, 'There is nothing here: GET / lists what there is.');
      const handler = handlerOf(found.route, method);
      if (handler) return handler(request, note, found.rest);
      if (method === 'OPTIONS') return { status: 204, headers: {}, body: '' };
      throw new Problem(405, `${method} is not possible here: use one of ${allow}.`);
    }

    const response = await answer().catch(async (error: unknown): Promise<HttpResponse> => {
      const problem = await toProblem(error, requestId, note);
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
      ms: Math.round((performance.now() - started) * 10) / 10,
      ...facts,
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
