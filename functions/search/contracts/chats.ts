import type { App, HttpRequest, HttpResponse } from '../http.ts';
import type { splitPath } from '../paths.ts';
import type { Problem } from '../problems.ts';
import type { readBody } from '../requests.ts';
import type { askIndex, failing } from '../with-contracts.ts';
import { answerSlack } from './slack.ts';
import { answerTeams } from './teams.ts';

/** Code of the function. This file and its imports import none: esbuild would move it into another file, which each cold start would open. */
interface Shared {
  app: App;
  askIndex: typeof askIndex;
  failing: typeof failing;
  Problem: typeof Problem;
  readBody: typeof readBody;
  splitPath: typeof splitPath;
}

/**
 * Answers requests of Slack and Teams, and leaves others to the app. The signature of a chat is its key, for documents that are not
 * restricted.
 */
export async function answerChat(
  request: HttpRequest,
  environment: Readonly<Record<string, string | undefined>>,
  { app, askIndex, failing, Problem, readBody, splitPath }: Shared,
): Promise<HttpResponse> {
  const { SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN, TEAMS_SECRET } = environment;
  const { browser, path, collection } = splitPath(request.path);
  const secret = new Map([
    ['/slack', SLACK_SIGNING_SECRET],
    ['/teams', TEAMS_SECRET],
  ]).get(path);
  if (request.method !== 'POST' || browser || !secret) return app(request);
  const { headers } = request;
  const own = { ...request, headers: { ...headers, 'content-type': undefined }, authorized: true };
  try {
    const received = { headers, text: await readBody(own) };
    const search = (question: object) =>
      askIndex(app, own, collection, [Buffer.from(JSON.stringify(question))]);
    const answer =
      path === '/slack'
        ? await answerSlack(received, { secret, token: SLACK_BOT_TOKEN }, search)
        : await answerTeams(received, secret, search);
    if (!answer)
      throw new Problem(401, 'The signature is not valid, or older than five minutes. Check the secret.');
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
      body: JSON.stringify(answer),
    };
  } catch (error) {
    // Without the collection: strangers must not learn which exist.
    return app({ ...own, path: '/search', body: failing(error) });
  }
}
