import { isListOf, isOptional, isRecordOf, isShaped, isText } from '../../index/format/shapes.ts';
import type { Answer } from '../../index/search/answer.ts';
import type { ActionEvent, ActionResult } from './contracts/bedrock-agent.ts';
import type { App, HttpRequest, HttpResponse } from './http.ts';
import { decodePath, isCollectionName } from './paths.ts';
import { Problem, problemResponse } from './problems.ts';
import { exampleQuestion } from './request-schemas.ts';

/**
 * Payload format 2.0, which HTTP APIs and Function URLs send.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
interface HttpEvent {
  /** Starts with the stage if an HTTP API has a named one. HTTP APIs decode it once, Function URLs do not. */
  rawPath: string;
  rawQueryString?: string;
  headers?: Record<string, string>;
  body?: string | null;
  isBase64Encoded?: boolean;
  requestContext: {
    domainName?: string;
    stage?: string;
    http: { method: string };
    /** Has `iam` if AWS has authorized the caller. Callers over HTTP cannot write it; IAM authorizes callers of Invoke. */
    authorizer?: { iam?: unknown } | null;
  };
}

const toResult = ({ status, ...response }: HttpResponse) => ({
  statusCode: status,
  isBase64Encoded: false,
  ...response,
});

/** Anyone who may invoke the function can send an event that no AWS service would. */
const isHttpEvent = isShaped({
  rawPath: (value) => typeof value === 'string' && /^(?:$|\/)/.test(value),
  rawQueryString: isOptional(isText),
  headers: isOptional(isRecordOf(isText)),
  body: (value) => value === undefined || value === null || isText(value),
  requestContext: isShaped({
    http: isShaped({ method: isText }),
    domainName: isOptional(isText),
    stage: isOptional(isText),
  }),
}) as (event: unknown) => event is HttpEvent;

const isQuestion = (event: unknown): event is Direct =>
  typeof event === 'object' &&
  event !== null &&
  'q' in event &&
  !('rawPath' in event || 'requestContext' in event);

const isParameters = isOptional(isListOf(isShaped({ name: isText, value: isText })));

const isAction = isShaped({
  messageVersion: isText,
  actionGroup: isText,
  apiPath: isOptional(isText),
  function: isOptional(isText),
  parameters: isParameters,
  requestBody: isOptional(isShaped({ content: isRecordOf(isShaped({ properties: isParameters })) })),
}) as (event: unknown) => event is ActionEvent;

/** Whether a text is a host name with an optional port. Some of this form are no hosts, such as 1.2.3.999. */
const isHost = (name = '') => /^[a-z0-9.-]+(:\d{1,5})?$/i.test(name) && URL.canParse(`https://${name}`);

/**
 * The host that the caller used. Behind CloudFront, API Gateway sees its own host, and a function of the distribution sends the viewer's
 * in `x-polyseek-host` (infra/http-endpoint.ts). Callers who bypass CloudFront can send any name, but fool only themselves: a web page
 * that sends this header to another origin needs the consent of a preflight, whose answer does not depend on the header.
 */
function hostOf({ headers = {}, requestContext }: HttpEvent): string {
  const { 'x-polyseek-host': forwarded } = headers;
  return [forwarded, requestContext.domainName].find(isHost) ?? 'localhost';
}

/** Whether an event is of a Function URL, whose domain nobody can choose. */
const isFunctionUrl = ({ domainName = '' }: HttpEvent['requestContext']) =>
  /^[a-z0-9]+\.lambda-url\./.test(domainName);

function toRequest(event: HttpEvent, requestId: string): HttpRequest {
  const { rawPath, rawQueryString = '', headers = {}, body, isBase64Encoded, requestContext } = event;
  const { stage, http } = requestContext;
  const prefix = rawPath === `/${stage}` || rawPath.startsWith(`/${stage}/`) ? `/${stage}` : '';
  const path = rawPath.slice(prefix.length);
  return {
    method: http.method,
    url: new URL(`https://${hostOf(event)}/?${rawQueryString}`),
    path: isFunctionUrl(requestContext) ? decodePath(path) : path,
    prefix,
    headers,
    body: body ? [Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')] : [],
    requestId,
    authorized: Boolean(requestContext.authorizer?.iam),
  };
}

/** A direct event: the body of `POST /search`, and a collection. */
type Direct = { q: unknown; collection?: unknown };

/** Answers a direct event. Throws an `Error` with the `detail` of an error response. */
async function ask(app: App, { collection, ...question }: Direct, requestId: string): Promise<Answer> {
  if (collection !== undefined && !(typeof collection === 'string' && isCollectionName(collection)))
    throw new Error('collection must be the name of a collection. Leave it out to ask the default index.');
  const response = await app({
    method: 'POST',
    url: new URL('https://localhost'),
    path: collection === undefined ? '/search' : `/c/${collection}/search`,
    headers: {},
    body: [Buffer.from(JSON.stringify(question))],
    requestId,
    // IAM has authorized the invocation.
    authorized: true,
    // Lambda does, for each error that a handler throws.
    logsErrors: true,
  });
  const body = JSON.parse(response.body) as Answer | { detail: string };
  if ('detail' in body) throw new Error(body.detail);
  return body;
}

/**
 * Makes a Lambda handler of an app. HTTP API (payload format 2.0) and Function URL events get an HTTP response. Direct
 * events, `{q: "…"}` with the fields of `POST /search` and `collection`, get the `Answer` itself or a function error.
 * @param contracts whether action groups of Amazon Bedrock's agents get an answer too
 */
export function createHandler(
  app: App,
  contracts = false,
): (
  event: unknown,
  context?: { awsRequestId: string },
) => Promise<ReturnType<typeof toResult> | Answer | ActionResult> {
  return async (event, { awsRequestId: requestId } = { awsRequestId: 'local' }) => {
    if (isHttpEvent(event)) return toResult(await app(toRequest(event, requestId)));
    if (isQuestion(event)) return ask(app, event, requestId);
    if (contracts && isAction(event))
      return (await import('./contracts/bedrock-agent.ts')).answerAction(app, event, requestId);
    const problem = new Problem(
      400,
      `The event is neither an HTTP request nor a question. Send an HTTP API event (payload format 2.0), a Function URL event, or a direct event such as ${JSON.stringify({ q: exampleQuestion })}.`,
    );
    return toResult(problemResponse(problem, requestId));
  };
}
