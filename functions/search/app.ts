import { inspect } from 'node:util';
import type { Context } from 'hono';
import { routePath } from 'hono/route';
import { Hono } from 'hono/tiny';
import { InvalidRequest, type Search, type SearchRequest } from '../../index/search/answer.ts';
import { type ApiKeys, type AwsContext, authenticate, isAuthorizedByAws } from './auth.ts';
import { type LogEntry, type LogFacts, writeEntry } from './log.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';
import { readBody, readPassageParameters, readSearchBody, readSearchParameters } from './requests.ts';
import { exampleQuestion } from './schemas.ts';

export interface AppOptions {
  /** Adds the text of each question to the log. */
  logQuestions?: boolean;
  /** The keys of which a request needs one; without them, anyone may ask. */
  apiKeys?: ApiKeys | undefined;
  /** Takes each entry of the log; without it, entries go to standard output. */
  log?: (entry: LogEntry) => void;
}

interface AppEnv {
  /** What `hono/aws-lambda` passes; absent on other hosts. */
  Bindings: { lambdaContext?: { awsRequestId: string } | undefined; requestContext?: AwsContext };
  Variables: { requestId: string; facts: LogFacts };
}

export type App = Hono<AppEnv>;

/** An id may hold `/`, and API Gateway decodes `%2F` before the function sees it. */
const passagePattern = '/passages/:id{[^]+}';

const passageRoute = '/passages/:id';

function json(c: Context<AppEnv>, value: unknown): Response {
  return c.body(JSON.stringify(value), 200, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-cache',
  });
}

function fail(c: Context<AppEnv>, problem: Problem): Response {
  if (problem.status === 401) c.header('www-authenticate', 'Bearer');
  return c.body(problemJson(problem, c.get('requestId')), problem.status, problemHeaders);
}

/** Adds to what the log will say of the request. */
function note(c: Context<AppEnv>, facts: LogFacts): void {
  c.set('facts', { ...c.get('facts'), ...facts });
}

/** Where the app is reached from outside: its origin, and the path prefix that a gateway took off. */
function baseUrl(c: Context<AppEnv>): string {
  return new URL(c.req.url).origin + (c.req.header('x-forwarded-prefix') ?? '');
}

const parameters = (c: Context<AppEnv>) => new URL(c.req.url).searchParams;

/**
 * The endpoint as a Hono app, for any host of fetch handlers. Logs one entry per request.
 * A search that is still opening may be passed; requests then wait for it.
 */
export function createApp(search: Search | Promise<Search>, options: AppOptions = {}): App {
  const { logQuestions = false, apiKeys, log = writeEntry } = options;
  const app: App = new Hono<AppEnv>();

  app.use(async (c, next) => {
    const started = performance.now();
    const requestId = c.env?.lambdaContext?.awsRequestId ?? crypto.randomUUID();
    c.set('requestId', requestId);
    c.header('x-request-id', requestId);
    c.header('x-content-type-options', 'nosniff');
    await next();
    const { status } = c.res;
    log({
      timestamp: new Date().toISOString(),
      level: status >= 500 ? 'ERROR' : 'INFO',
      requestId,
      method: c.req.method,
      // The last of the routes that match, as a request without a key is answered before its route.
      route: routePath(c, -1).replace(passagePattern, passageRoute),
      status,
      ms: Math.round((performance.now() - started) * 10) / 10,
      ...c.get('facts'),
    });
  });

  if (apiKeys) {
    app.use(async (c, next) => {
      // A browser asks for permission (CORS preflight) without the key that it will send.
      if (c.req.method !== 'OPTIONS' && !isAuthorizedByAws(c.env?.requestContext)) {
        note(c, { key: authenticate(c.req.raw.headers, apiKeys) });
      }
      await next();
    });
  }

  app.onError((error, c) => {
    if (error instanceof Problem) return fail(c, error);
    if (error instanceof InvalidRequest) return fail(c, new Problem(400, error.message));
    note(c, { error: inspect(error) });
    return fail(c, new Problem(500, `The search failed. The log has the cause under ${c.get('requestId')}.`));
  });

  app.notFound((c) => fail(c, new Problem(404, 'There is nothing here: GET / lists what there is.')));

  async function answer(c: Context<AppEnv>, request: SearchRequest): Promise<Response> {
    const { query, k, mode } = request;
    note(c, { k, mode, ...(logQuestions && { q: query }) });
    const found = await (await search).search(request);
    const { answered, results, took } = found;
    note(c, {
      results: results.length,
      answered,
      topConfidence: results[0]?.confidence,
      embedMs: took.embedMs,
      searchMs: took.searchMs,
    });
    return json(c, found);
  }

  app.get('/search', (c) => answer(c, readSearchParameters(parameters(c))));
  app.post('/search', async (c) => answer(c, readSearchBody(await readBody(c.req.raw))));

  app.get(passagePattern, async (c) => {
    const context = readPassageParameters(parameters(c));
    const passage = (await search).passage(c.req.param('id'), context);
    if (!passage)
      throw new Problem(404, 'No passage has this id: search again, as its document may have changed.');
    return json(c, passage);
  });

  app.get('/health', async (c) => json(c, { status: 'ok', index: (await search).info }));

  app.get('/openapi.json', async (c) => {
    const { openApi } = await import('./openapi.ts');
    return json(c, openApi(baseUrl(c), apiKeys !== undefined));
  });

  app.get('/', (c) => {
    const base = baseUrl(c);
    return json(c, {
      name: 'polyseek',
      example: `${base}/search?${new URLSearchParams({ q: exampleQuestion })}`,
      routes: ['GET /search', 'POST /search', 'GET /passages/{id}', 'GET /health', 'GET /openapi.json'],
      openapi: `${base}/openapi.json`,
    });
  });

  for (const path of ['/', '/search', passagePattern, '/health', '/openapi.json']) {
    const allow = path === '/search' ? 'GET, HEAD, POST, OPTIONS' : 'GET, HEAD, OPTIONS';
    app.all(path, (c) => {
      c.header('allow', allow);
      if (c.req.method === 'OPTIONS') return c.body(null, 204);
      throw new Problem(405, `${c.req.method} is not possible here: use one of ${allow}.`);
    });
  }

  return app;
}
