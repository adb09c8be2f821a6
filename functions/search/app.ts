import type { Answer, PassageAnswer, Search } from '../../index/search/answer.ts';
import {
  type App,
  type DispatchOptions,
  dispatch,
  type HttpRequest,
  type HttpResponse,
  type Note,
} from './http.ts';
import { Problem } from './problems.ts';
import {
  type Question,
  readBody,
  readPassageParameters,
  readSearchBody,
  readSearchParameters,
} from './requests.ts';
import { exampleQuestion } from './schemas.ts';
import { within } from './truncate.ts';

export interface AppOptions extends DispatchOptions {
  /** Adds the text of each question to the log. */
  logQuestions?: boolean;
  /** Shows browsers a page at `/`, which needs no API key as it holds no data. Default: true. */
  page?: boolean;
  /** Origins besides its own whose pages may call `/mcp`; `*` for any. */
  origins?: readonly string[] | undefined;
}

function jsonText(body: string): HttpResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' },
    body,
  };
}

const json = (value: unknown) => jsonText(JSON.stringify(value));

/** Where the app is reached from outside, without a final slash. */
const baseUrl = ({ url, prefix = '' }: HttpRequest) => url.origin + prefix;

/** Whether a request comes from a browser's address bar, rather than from a program. */
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
    ],
    openapi: `${base}/openapi.json`,
  });
  return { ...answer, headers: { ...answer.headers, vary: 'accept' } };
}

/**
 * The endpoint as a function of plain objects, for any host.
 * A search that is still opening may be passed; requests then wait for it.
 */
export function createApp(search: Search | Promise<Search>, options: AppOptions = {}): App {
  const { logQuestions = false, page: hasPage = true, apiKeys, origins = [] } = options;
  const showsPage = (request: HttpRequest) => hasPage && wantsPage(request);

  /** @returns what was found, and its JSON */
  async function find(
    { maxCharacters, ...request }: Question,
    note: Note,
  ): Promise<{ answer: Answer; text: string }> {
    const { q, k, mode } = request;
    note({ k, mode, ...(logQuestions && { q }) });
    const found = within(maxCharacters, await (await search).search(request));
    const { answered, results, took } = found.answer;
    note({
      results: results.length,
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
    throw new Problem(404, 'No passage has this id: search again, as its document may have changed.');
  }

  return dispatch(
    [
      {
        path: '/search',
        GET: async ({ url }, note) =>
          jsonText((await find(readSearchParameters(url.searchParams), note)).text),
        POST: async (request, note) =>
          jsonText((await find(readSearchBody(await readBody(request)), note)).text),
      },
      // An id may hold `/`.
      {
        path: '/passages/:id',
        GET: async ({ url }, _, id) => json(await passage(id, readPassageParameters(url.searchParams))),
      },
      {
        path: '/mcp',
        POST: async (request, note) => {
          const { answerMcp } = await import('./mcp.ts');
          const context = {
            find: async (asked: Question) => (await find(asked, note)).answer,
            passage,
            base: baseUrl(request),
          };
          return answerMcp(request, note, context, origins);
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
        path: '/',
        GET: (request) => (showsPage(request) ? page() : home(request)),
        isOpen: showsPage,
      },
    ],
    options,
  );
}
