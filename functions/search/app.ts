import type { Answer, PassageAnswer, Search } from '../../index/search/answer.ts';
import {
  type AddToLog,
  type App,
  type DispatchOptions,
  dispatch,
  type HttpRequest,
  type HttpResponse,
} from './http.ts';
import { Problem } from './problems.ts';
import { exampleQuestion } from './request-schemas.ts';
import {
  type Question,
  readBody,
  readPassageParameters,
  readSearchBody,
  readSearchParameters,
} from './requests.ts';
import { truncateToLength } from './truncate.ts';

export interface AppOptions extends DispatchOptions {
  /** Logs the text of each question. Default: false. */
  logQuestions?: boolean;
  /** Shows browsers a page at `/`. The page contains no data, so it needs no API key. Default: true. */
  page?: boolean;
}

function jsonText(body: string): HttpResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' },
    body,
  };
}

const json = (value: unknown) => jsonText(JSON.stringify(value));

/** The app's public URL, without a final slash. */
const baseUrl = ({ url, prefix = '' }: HttpRequest) => url.origin + prefix;

/** Whether a browser asks for a page, rather than a program for JSON. */
const wantsPage = ({ method, headers }: HttpRequest) =>
  (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers.accept ?? '');

async function page(): Promise<HttpResponse> {
  const { page } = await import('#page');
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': page.policy,
      'referrer-policy': 'no-referrer',
      vary: 'accept',
    },
    body: page.html,
  };
}

function home(request: HttpRequest): HttpResponse {
  const base = baseUrl(request);
  const answer = json({
    name: 'polyseek',
    example: `${base}/search?${new URLSearchParams({ q: exampleQuestion })}`,
    routes: [
      'GET /search',
      'POST /search',
      'GET /passages/{id}',
      'POST /mcp',
      'GET /health',
      'GET /overview',
      'GET /openapi.json',
      'GET /widget.js',
    ],
    openapi: `${base}/openapi.json`,
  });
  return { ...answer, headers: { ...answer.headers, vary: 'accept' } };
}

/**
 * The endpoint, for any host.
 * @param search may still be opening; requests then wait for it
 */
export function createApp(search: Search | Promise<Search>, options: AppOptions = {}): App {
  const { logQuestions = false, page: hasPage = true, apiKeys } = options;
  const showsPage = (request: HttpRequest) => hasPage && wantsPage(request);

  /** @returns the answer and its JSON */
  async function find(
    { maxCharacters, ...request }: Question,
    addToLog: AddToLog,
  ): Promise<{ answer: Answer; text: string }> {
    const { q, k, mode } = request;
    addToLog({ k, mode, ...(logQuestions && { q }) });
    const found = truncateToLength(maxCharacters, await (await search).search(request));
    const { verdict, answered, results, took } = found.answer;
    addToLog({
      results: results.length,
      verdict,
      answered,
      topConfidence: results[0]?.confidence,
      embedMs: took.embedMs,
      searchMs: took.searchMs,
    });
    return found;
  }

  async function passage(id: string, context: number): Promise<PassageAnswer> {
    const found = (await search).passage(id, context);
    if (found) return found;
    throw new Problem(404, 'No passage has this id. Its document may have changed: search again.');
  }

  return dispatch(
    [
      {
        path: '/search',
        GET: async ({ url }, addToLog) =>
          jsonText((await find(readSearchParameters(url.searchParams), addToLog)).text),
        POST: async (request, addToLog) =>
          jsonText((await find(readSearchBody(await readBody(request)), addToLog)).text),
      },
      // An id may contain `/`.
      {
        path: '/passages/:id',
        GET: async ({ url }, _, id) => json(await passage(id, readPassageParameters(url.searchParams))),
      },
      {
        path: '/mcp',
        POST: async (request, addToLog) => {
          const { answerMcp } = await import('./mcp.ts');
          const context = {
            find: async (question: Question) => (await find(question, addToLog)).answer,
            passage,
            base: baseUrl(request),
          };
          return answerMcp(request, addToLog, context);
        },
      },
      { path: '/health', GET: async () => json({ status: 'ok', index: (await search).info }) },
      {
        path: '/overview',
        GET: async () => json({ index: (await search).info, ...(await search).overview() }),
      },
      {
        path: '/openapi.json',
        GET: async (request) => {
          const { openApi } = await import('./openapi.ts');
          return json(openApi(baseUrl(request), apiKeys !== undefined));
        },
      },
      {
        path: '/widget.js',
        GET: async (request) => (await import('./widget/serve-widget.ts')).serveWidget(request),
        isPublic: true,
      },
      {
        path: '/',
        GET: (request) => (showsPage(request) ? page() : home(request)),
        isOpen: showsPage,
      },
    ],
    options,
  );
}
