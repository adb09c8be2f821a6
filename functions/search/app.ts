import type { PassageAnswer, Search } from '../../index/search/answer.ts';
import type { Offers } from './home.ts';
import {
  type AddToLog,
  type App,
  type DispatchOptions,
  dispatch,
  type HttpRequest,
  type HttpResponse,
  type Route,
  type RoutedRequest,
} from './http.ts';
import { baseUrl } from './origins.ts';
import { noPassage } from './problems.ts';
import { exampleFeedback, feedbackBody, questionPlaceholder } from './request-schemas.ts';
import {
  type Question,
  readBody,
  readBodyAs,
  readPassageParameters,
  readSearchBody,
  readSearchParameters,
} from './requests.ts';
import { RESOURCE_METADATA, resourceMetadata } from './tokens.ts';
import { truncateToLength } from './truncate.ts';
import { type ChatSecrets, withChats } from './with-chats.ts';
import { withContracts } from './with-contracts.ts';

export interface AppOptions extends DispatchOptions {
  /** Logs the text of each question. Default: false. */
  logQuestions?: boolean;
  /** Shows browsers a page at `/`. The page contains no data, so it needs no API key. Default: true. */
  page?: boolean;
  /** Answers requests in the form of chat platforms too (docs/integrations.md). Default: false. */
  contracts?: boolean;
  /** Secrets of chats, which get an answer then (docs/integrations.md). Default: none. */
  chats?: ChatSecrets;
  /** Takes `POST /feedback`: whether an answer helped, for the log. Default: false. */
  feedback?: boolean;
  /** Make routes of a host, such as one that writes answers with a language model, from a function that opens the index of a request. */
  hostRoutes?: readonly HostRoute[];
}

export type HostRoute = (searchOf: (request: RoutedRequest) => Promise<Search>) => Route;

const jsonText = (body: string): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' },
  body,
});

const json = (value: unknown) => jsonText(JSON.stringify(value));

/** For paths where browsers see the page. */
const byAccept = (response: HttpResponse): HttpResponse => ({
  ...response,
  headers: { ...response.headers, vary: 'accept' },
});

/** Returns a function that opens something at its first call, and again after a failure. */
export function opener<T>(open: () => Promise<T>): () => Promise<T> {
  let opening: Promise<T> | undefined;
  return () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
}

/** Returns whether a browser asks for a page, rather than a program for JSON. */
const pageTest =
  ({ page = true }: AppOptions) =>
  ({ method, headers }: HttpRequest): boolean =>
    page && (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers.accept ?? '');

/** Leads to a passage in the page, which asks for a key if it needs one. */
const toPage = ({ prefix = '', rest }: RoutedRequest): HttpResponse => ({
  status: 302,
  headers: {
    location: `${encodeURI(prefix.toWellFormed())}/#p=${encodeURIComponent(rest.toWellFormed())}`,
    vary: 'accept',
  },
  body: '',
});

/** Routes that read an index: the one of each request. */
function searchRoutes(
  searchOf: (request: RoutedRequest) => Promise<Search>,
  offers: Offers,
  { logQuestions = false, ...options }: AppOptions,
): Route[] {
  const showsPage = pageTest(options);
  /** @returns the answer and its JSON */
  async function find(from: RoutedRequest, { maxCharacters, ...request }: Question, addToLog: AddToLog) {
    const { q, k, mode } = request;
    addToLog({ k, mode, ...(logQuestions && { q }) });
    const found = truncateToLength(maxCharacters, await (await searchOf(from)).search(request));
    const { verdict, answered, results, took } = found.answer;
    const { embedMs, searchMs } = took;
    const topConfidence = results[0]?.confidence;
    addToLog({ results: results.length, verdict, answered, topConfidence, embedMs, searchMs });
    return found;
  }

  async function passage(from: RoutedRequest, id: string, context: number): Promise<PassageAnswer> {
    const found = await (await searchOf(from)).passage(id, context);
    if (found) return found;
    throw noPassage();
  }

  return [
    {
      path: '/search',
      searches: true,
      GET: async (request, addToLog) =>
        jsonText((await find(request, readSearchParameters(request.url.searchParams), addToLog)).text),
      POST: async (request, addToLog) => {
        const question = readSearchBody(await readBody(request), !request.logsErrors);
        return jsonText((await find(request, question, addToLog)).text);
      },
    },
    // An id may contain `/`.
    {
      path: '/passages/:id',
      searches: true,
      GET: async (request) => {
        if (showsPage(request)) return toPage(request);
        const context = readPassageParameters(request.url.searchParams);
        return byAccept(json(await passage(request, request.rest, context)));
      },
      isOpen: showsPage,
    },
    {
      path: '/mcp',
      POST: async (request, addToLog) => {
        const { answerMcp } = await import('./mcp.ts');
        return answerMcp(request, addToLog, {
          find: async (question) => (await find(request, question, addToLog)).answer,
          index: () => searchOf(request),
          base: baseUrl(request),
        });
      },
    },
    ...(offers.takesFeedback
      ? [
          {
            path: '/feedback',
            searches: true,
            POST: async (request: RoutedRequest, addToLog: AddToLog) => {
              const { q, helpful } = readBodyAs(feedbackBody, await readBody(request), exampleFeedback);
              addToLog({ helpful, ...(logQuestions && { q }) });
              return json({ helpful });
            },
          },
        ]
      : []),
    {
      path: '/health',
      searches: true,
      GET: async (request) => json({ status: 'ok', index: (await searchOf(request)).info }),
    },
    {
      path: '/overview',
      searches: true,
      GET: async (request) => {
        const from = await searchOf(request);
        return json({ index: from.info, ...(await from.overview()), ...offers });
      },
    },
  ];
}

/** Routes that describe the endpoint, and serve browsers. */
function endpointRoutes(offers: Offers, { apiKeys, tokens, ...options }: AppOptions): Route[] {
  const showsPage = pageTest(options);
  return [
    {
      path: '/openapi.json',
      GET: async (request) => {
        const { openApi } = await import('./openapi.ts');
        return json(
          openApi(baseUrl(request), {
            keys: apiKeys !== undefined,
            tokens: tokens !== undefined,
            feedback: options.feedback === true,
          }),
        );
      },
    },
    {
      path: '/widget.js',
      GET: async (request) => (await import('./serve-assets.ts')).serveWidget(request),
      isPublic: true,
    },
    {
      path: '/',
      GET: async (request) => {
        if (showsPage(request)) return (await import('./serve-assets.ts')).servePage(request);
        const { home } = await import('./home.ts');
        return byAccept(json(home(baseUrl(request), questionPlaceholder, request.collections, offers)));
      },
      isOpen: showsPage,
    },
    // The metadata from which MCP clients learn where to log in. They read it before they have a token.
    ...(tokens ? ['', '/:resource'] : []).map((resource) => ({
      path: RESOURCE_METADATA + resource,
      GET: (request: RoutedRequest) => json(resourceMetadata(request, request.rest, tokens!)),
      isPublic: true,
    })),
  ];
}

/**
 * The endpoint, for any host.
 * @param search may still be opening; requests then wait for it. A function is called for each request, and may return a newer index.
 */
export function createApp(
  search: Search | Promise<Search> | (() => Promise<Search>),
  options: AppOptions = {},
): App {
  const collections = new Map([...(options.collections ?? [])].map(([name, open]) => [name, opener(open)]));
  const searchOf = async ({ collection, groups }: RoutedRequest) => {
    const open = collection === undefined ? search : collections.get(collection)!;
    const opened = await (typeof open === 'function' ? open() : open);
    return groups.length === 0 ? opened : opened.for(groups);
  };
  const hostRoutes = (options.hostRoutes ?? []).map((make) => make(searchOf));
  const offers: Offers = {
    ...(hostRoutes.some(({ path }) => path === '/answer') && { writesAnswers: true }),
    ...(options.feedback && { takesFeedback: true }),
  };
  const routes = [
    ...searchRoutes(searchOf, offers, options),
    ...hostRoutes,
    ...endpointRoutes(offers, options),
  ];
  const app = dispatch(routes, options);
  return withChats(options.contracts ? withContracts(app) : app, options.chats);
}
