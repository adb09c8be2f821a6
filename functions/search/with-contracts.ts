import type { Answer, SearchResult } from '../../index/search/answer.ts';
import { LIMITS } from '../../index/search/limits.ts';
import type { Refusal } from './contracts/contract.ts';
import type { App, HttpRequest, HttpResponse } from './http.ts';
import { baseUrl } from './origins.ts';
import { splitPath } from './paths.ts';
import { readBody } from './requests.ts';

/** The id of the default index, which has no name. */
const DEFAULT_ID = 'default';

/** A body whose reader gets an error, so that the app first checks the caller, and logs the error. */
export const failing = (error: unknown): HttpRequest['body'] => ({
  [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }),
});

/**
 * Asks `POST /search` of an app.
 * @param name of the collection; undefined for the default index
 * @returns the response, its content, and a function that returns the public URL of a result
 */
export async function askIndex(
  app: App,
  request: HttpRequest,
  name: string | undefined,
  body: HttpRequest['body'],
): Promise<{ response: HttpResponse; found: Answer | Refusal; linkTo: (result: SearchResult) => string }> {
  // A slash would lead to another route.
  const start = name === undefined ? '' : `/c/${name.replaceAll('/', '%2F')}`;
  const response = await app({ ...request, path: `${start}/search`, body });
  const base = baseUrl({ ...request, prefix: (request.prefix ?? '') + start });
  return {
    response,
    found: JSON.parse(response.body),
    linkTo: ({ id, url }) => url ?? `${base}/passages/${encodeURIComponent(id)}`,
  };
}

/** Makes an app that also answers requests in the form of chat platforms, as `POST /search` of `app`. */
export function withContracts(app: App): App {
  return async (request) => {
    const { browser, path, collection } = splitPath(request.path);
    if (request.method !== 'POST' || browser || path === '/search' || path === '/mcp') return app(request);
    const { contracts } = await import('./contracts/contracts.ts');
    const contract = contracts.find((one) => one.path.test(path));
    if (!contract) return app(request);
    let id = contract.path.exec(path)?.groups?.id;
    let body: HttpRequest['body'];
    try {
      const { id: asked, ...question } = contract.ask(await readBody(request));
      id ??= asked;
      body = [Buffer.from(JSON.stringify({ maxCharacters: LIMITS.answerCharacters.max, ...question }))];
    } catch (error) {
      body = failing(error);
    }
    const name = id === undefined || id === DEFAULT_ID ? collection : id;
    const { response, found, linkTo } = await askIndex(app, request, name, body);
    const { answer, refuse = (refusal) => refusal } = contract;
    const translated = 'results' in found ? answer(found, linkTo) : refuse(found, request.headers);
    const headers = { ...response.headers, 'content-type': 'application/json; charset=utf-8' };
    return { ...response, headers, body: JSON.stringify(translated) };
  };
}
