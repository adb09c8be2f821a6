import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import type { App } from './app.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';

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

/** A Lambda handler that answers HTTP API (payload format 2.0) and Function URL events with an app. */
export function createHandler(app: App): (event: unknown, context?: LambdaContext) => Promise<HttpResult> {
  const respond = handle(app);
  return async (event, context) => {
    if (isHttpEvent(event)) return respond(normalise(event), context);
    const problem = new Problem(
      400,
      'The event is not an HTTP request: send an HTTP API event (payload format 2.0) or a Function URL event.',
    );
    return {
      statusCode: problem.status,
      headers: problemHeaders,
      body: problemJson(problem, context?.awsRequestId ?? crypto.randomUUID()),
      isBase64Encoded: false,
    };
  };
}
