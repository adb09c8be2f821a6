import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import type { Answer } from '../../index/search/answer.ts';
import type { App } from './app.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';
import { exampleQuestion } from './schemas.ts';

/** Payload format 2.0: what an HTTP API and a Function URL send. */
type HttpEvent = Extract<LambdaEvent, { rawPath: string }>;

interface HttpResult {
  statusCode: number;
  headers: Record<string, string | string[]>;
  body: string;
  isBase64Encoded: boolean;
}

function isHttpEvent(event: unknown): event is HttpEvent {
  if (typeof event !== 'object' || event === null) return false;
  const { rawPath, requestContext } = event as { rawPath?: unknown; requestContext?: unknown };
  return (
    typeof rawPath === 'string' &&
    typeof requestContext === 'object' &&
    requestContext !== null &&
    'http' in requestContext
  );
}

/**
 * The event as `hono/aws-lambda` reads it right: without the stage, which an HTTP API leaves in front of the
 * path; with the path's decoded characters encoded again, as an HTTP API decodes it and a Function URL does
 * not; without a body on GET and HEAD, which a Fetch request can't have.
 */
function normalise(event: HttpEvent): HttpEvent {
  const { stage, http } = event.requestContext;
  const prefix = event.rawPath === `/${stage}` || event.rawPath.startsWith(`/${stage}/`) ? `/${stage}` : '';
  const path = event.rawPath
    .slice(prefix.length)
    .replace(/[?#\\\t\n\r]|%(?![0-9a-f]{2})/gi, encodeURIComponent);
  return {
    ...event,
    rawPath: path || '/',
    headers: { ...event.headers, 'x-forwarded-prefix': prefix },
    body: http.method === 'GET' || http.method === 'HEAD' ? null : event.body,
  };
}

/** Whether an event is no request of HTTP but the body of `POST /search`. */
function isQuestion(event: unknown): event is { q: unknown } {
  return (
    typeof event === 'object' &&
    event !== null &&
    'q' in event &&
    !('rawPath' in event) &&
    !('requestContext' in event)
  );
}

/** Answers a direct event as `POST /search` would. Throws an `Error` with the sentence of what that would refuse. */
async function ask(app: App, event: { q: unknown }, context: LambdaContext | undefined): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(event) };
  // Who may invoke the function is decided by IAM, as with an HTTP API that has its authorizer.
  const bindings = { lambdaContext: context, requestContext: { authorizer: { iam: {} } } };
  const response = await app.request('/search', init, bindings);
  const body = (await response.json()) as Answer | { detail: string };
  if ('detail' in body) throw new Error(body.detail);
  return body;
}

/**
 * A Lambda handler that answers with an app: HTTP API (payload format 2.0) and Function URL events as HTTP, and
 * direct events, `{q: "…"}` with the fields of `POST /search`, with the `Answer` itself or a function error.
 */
export function createHandler(
  app: App,
): (event: unknown, context?: LambdaContext) => Promise<HttpResult | Answer> {
  const respond = handle(app);
  return async (event, context) => {
    if (isHttpEvent(event)) return respond(normalise(event), context);
    if (isQuestion(event)) return ask(app, event, context);
    const problem = new Problem(
      400,
      `The event is neither an HTTP request nor a question: send an HTTP API event (payload format 2.0), a Function URL event, or a direct event such as ${JSON.stringify({ q: exampleQuestion })}.`,
    );
    return {
      statusCode: problem.status,
      headers: problemHeaders,
      body: problemJson(problem, context?.awsRequestId ?? crypto.randomUUID()),
      isBase64Encoded: false,
    };
  };
}
