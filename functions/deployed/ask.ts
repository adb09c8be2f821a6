import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import type { Answer, SearchRequest } from '../../index/search/answer.ts';
import { answerSchema, problemSchema } from '../search/answer-schemas.ts';
import { LIVE, type Remote } from './connect.ts';
import { type Report, readReport } from './report.ts';

const httpResult = v.object({ statusCode: v.number(), body: v.string() });
const failure = v.object({ errorType: v.string(), errorMessage: v.string() });

/** An HTTP request for the function. */
interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
}

/**
 * Asks a deployed function a question by invoking it directly, bypassing the HTTP endpoint.
 * @param qualifier version or alias
 * @returns the answer, and Lambda's report of the invocation
 * @throws if the function failed or did not return an answer
 */
export async function ask(
  remote: Remote,
  request: SearchRequest,
  qualifier = LIVE,
): Promise<{ answer: Answer; report: Report | undefined }> {
  const question: HttpRequest = { method: 'POST', path: '/search', body: JSON.stringify(request) };
  const { body: answer, report } = await send(remote, question, qualifier, answerSchema);
  return { answer, report };
}

/**
 * Sends a request to the function.
 * @param schema of the response's body
 * @throws if the function failed, or if it returned a status other than 200 or an unexpected body
 */
export async function send<Schema extends v.GenericSchema>(
  { lambda, functionName }: Remote,
  request: HttpRequest,
  qualifier: string,
  schema: Schema,
): Promise<{ body: v.InferOutput<Schema>; report: Report | undefined }> {
  const { Payload, FunctionError, LogResult } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      Qualifier: qualifier,
      LogType: 'Tail',
      Payload: JSON.stringify(httpEvent(request, new Date())),
    }),
  );
  const payload = parse(Buffer.from(Payload ?? []).toString());
  const about = `lambda:Invoke of ${functionName} (${qualifier}) with ${request.method} ${request.path}`;
  if (FunctionError !== undefined) {
    const { output, success } = v.safeParse(failure, payload);
    const reason = success ? `${output.errorType}: ${output.errorMessage}` : FunctionError;
    throw new Error(`${about} failed with ${reason}. See the log group /aws/lambda/${functionName}.`);
  }
  const result = v.safeParse(httpResult, payload);
  const body = parse(result.success ? result.output.body : '');
  if (result.success && result.output.statusCode !== 200) {
    const problem = v.safeParse(problemSchema, body);
    const detail = problem.success ? problem.output.detail : result.output.body;
    throw new Error(`${about} returned ${result.output.statusCode}: ${detail}`);
  }
  const { success, output } = v.safeParse(schema, body);
  if (!success)
    throw new Error(
      `${about} returned no polyseek response. Pass the name of a polyseek function with --function.`,
    );
  return { body: output, report: readReport(Buffer.from(LogResult ?? '', 'base64').toString()) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The event that an HTTP API with IAM authorization sends for a request (payload format 2.0). Callers with the right to invoke the
 * function need no API key.
 */
function httpEvent({ method, path, body }: HttpRequest, now: Date) {
  const [domainName, userAgent] = ['localhost', 'polyseek-remote'];
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { host: domainName, 'user-agent': userAgent },
    requestContext: {
      accountId: '',
      apiId: '',
      authorizer: {
        iam: {
          accessKey: '',
          accountId: '',
          callerId: '',
          cognitoIdentity: null,
          principalOrgId: '',
          userArn: '',
          userId: '',
        },
      },
      domainName,
      domainPrefix: '',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent },
      requestId: crypto.randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    body,
    isBase64Encoded: false,
  };
}
