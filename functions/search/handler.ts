import type { Answer } from '../../index/search/answer.ts';
import { type AwsContext, isAuthorizedByAws } from './auth.ts';
import type { App, HttpRequest } from './http.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';
import { exampleQuestion } from './schemas.ts';

/**
 * Payload format 2.0: what an HTTP API and a Function URL send.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
interface HttpEvent {
  /** Starts with the stage where an HTTP API has a named one; decoded by an HTTP API, not by a Function URL. */
  rawPath: string;
  rawQueryString?: string;
  headers?: Record<string, string>;
  body?: string | null;
  isBase64Encoded?: boolean;
  requestContext: AwsContext & { domainName?: string; stage?: string; http: { method: string } };
}

/** What Lambda answers over HTTP with. */
interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

/** What of Lambda's context is used. */
export interface LambdaContext {
  awsRequestId: string;
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

function toRequest(event: HttpEvent, requestId: string): HttpRequest {
  const { rawPath, rawQueryString = '', headers = {}, body, isBase64Encoded, requestContext } = event;
  const { domainName = 'localhost', stage, http } = requestContext;
  const prefix = rawPath === `/${stage}` || rawPath.startsWith(`/${stage}/`) ? `/${stage}` : '';
  // An HTTP API has decoded the path: what URL would take for its end, or leave out, is encoded again.
  const path = rawPath.slice(prefix.length).replace(/[?#\\\t\n\r]/g, encodeURIComponent);
  return {
    method: http.method,
    url: new URL(`https://${domainName}${path}?${rawQueryString}`),
    prefix,
    headers,
    body: body ? [Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')] : [],
    requestId,
    authorized: isAuthorizedByAws(requestContext),
  };
}

/** Answers a direct event as `POST /search` would. Throws an `Error` with the sentence of what that would refuse. */
async function ask(app: App, event: { q: unknown }, requestId: string): Promise<Answer> {
  const response = await app({
    method: 'POST',
    url: new URL('https://localhost/search'),
    headers: {},
    body: [Buffer.from(JSON.stringify(event))],
    requestId,
    // Who may invoke the function is decided by IAM, as with an HTTP API that has its authorizer.
    authorized: true,
  });
  const body = JSON.parse(response.body) as Answer | { detail: string };
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
  return async (event, { awsRequestId: requestId } = { awsRequestId: 'local' }) => {
    if (isHttpEvent(event)) {
      const { status, headers, body } = await app(toRequest(event, requestId));
      return { statusCode: status, headers, body, isBase64Encoded: false };
    }
    if (isQuestion(event)) return ask(app, event, requestId);
    const problem = new Problem(
      400,
      `The event is neither an HTTP request nor a question: send an HTTP API event (payload format 2.0), a Function URL event, or a direct event such as ${JSON.stringify({ q: exampleQuestion })}.`,
    );
    return {
      statusCode: problem.status,
      headers: problemHeaders,
      body: problemJson(problem, requestId),
      isBase64Encoded: false,
    };
  };
}
