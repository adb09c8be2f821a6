import type { App } from '../http.ts';

interface Parameter {
  name: string;
  value: string;
}

/** The event of an action group: of a route of an OpenAPI schema, or of a function. */
export interface ActionEvent {
  actionGroup: string;
  apiPath?: string;
  httpMethod?: string;
  function?: string;
  parameters?: Parameter[] | null;
  requestBody?: { content?: Record<string, { properties?: Parameter[] }> } | null;
}

export interface ActionResult {
  messageVersion: '1.0';
  response: object;
}

/** An agent accepts 25 KB, and a character may need 3 bytes. */
const MOST_CHARACTERS = 8000;

/**
 * Answers an action group of Amazon Bedrock's agents by the app's GET routes: `apiPath`, or `/search` for a function.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
 */
export async function answerAction(app: App, event: ActionEvent, requestId: string): Promise<ActionResult> {
  const { actionGroup, apiPath = '/search', httpMethod, parameters, requestBody } = event;
  const given = [
    ...(parameters ?? []),
    ...Object.values(requestBody?.content ?? {}).flatMap(({ properties = [] }) => properties),
  ];
  const values = new Map(given.map(({ name, value }) => [name, value]));
  const path = apiPath.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values.get(name);
    values.delete(name);
    return value ?? whole;
  });
  if (path.endsWith('/search') && !values.has('maxCharacters'))
    values.set('maxCharacters', String(MOST_CHARACTERS));
  const { status, body } = await app({
    method: 'GET',
    url: new URL(`https://localhost/?${new URLSearchParams([...values])}`),
    path,
    headers: {},
    body: [],
    requestId,
    // IAM has authorized the invocation.
    authorized: true,
  });
  const response = event.function
    ? { actionGroup, function: event.function, functionResponse: { responseBody: { TEXT: { body } } } }
    : {
        actionGroup,
        apiPath,
        httpMethod,
        httpStatusCode: status,
        responseBody: { 'application/json': { body } },
      };
  return { messageVersion: '1.0', response };
}
