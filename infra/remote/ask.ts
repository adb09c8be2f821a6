import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { answerSchema, problemSchema } from '../../functions/search/schemas.ts';
import type { Answer, SearchRequest } from '../../index/search/answer.ts';
import { LIVE, type Remote } from './connect.ts';
import { type Report, readReport } from './report.ts';

const httpResult = v.object({ statusCode: v.number(), body: v.string() });
const failure = v.object({ errorType: v.string(), errorMessage: v.string() });

/** What is sent to the function. */
interface Sent {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
}

/**
 * Asks a deployed function, past any endpoint, with Lambda's report of the invocation. Throws a sentence if it has no answer.
 * @param qualifier version or alias
 */
export async function ask(
  remote: Remote,
  request: SearchRequest,
  qualifier = LIVE,
): Promise<{ answer: Answer; report: Report | undefined }> {
  const question: Sent = { method: 'POST', path: '/search', body: JSON.stringify(request) };
  const { body: answer, report } = await send(remote, question, qualifier, answerSchema);
  return { answer, report };
}

/**
 * Sends the function a request.
 * @param schema of the body of an answer with status 200
 * @throws if the function failed, answered with another status or with another body
 */
export async function send<Schema extends v.GenericSchema>(
  { lambda, functionName }: Remote,
  sent: Sent,
  qualifier: string,
  schema: Schema,
): Promise<{ body: v.InferOutput<Schema>; report: Report | undefined }> {
  const { Payload, FunctionError, LogResult } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      Qualifier: qualifier,
      LogType: 'Tail',
      Payload: JSON.stringify(httpEvent(sent, new Date())),
    }),
  );
  const payload = parse(Buffer.from(Payload ?? []).toString());
  const about = `lambda:Invoke of ${functionName} (${qualifier}) with ${sent.method} ${sent.path}`;
  if (FunctionError !== undefined) {
    const { output, success } = v.safeParse(failure, payload);
    const what = success ? `${output.errorType}: ${output.errorMessage}` : FunctionError;
    throw new Error(`${about} failed with ${what}; see the log group /aws/lambda/${functionName}.`);
  }
  const result = v.safeParse(httpResult, payload);
  const body = parse(result.success ? result.output.body : '');
  if (result.success && result.output.statusCode !== 200) {
    const problem = v.safeParse(problemSchema, body);
    const detail = problem.success ? problem.output.detail : result.output.body;
    throw new Error(`${about} answered ${result.output.statusCode}: ${detail}`);
  }
  const { success, output } = v.safeParse(schema, body);
  if (!success)
    throw new Error(`${about} answered what polyseek does not: name polyseek's function with --function.`);
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
 * The event of a request that an HTTP API with IAM authorisation sends (payload format 2.0): who may invoke the function
 * needs no key of its own.
 */
function httpEvent({ method, path, body }: Sent, now: Date) {
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
