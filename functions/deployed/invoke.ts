import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { parseJson } from '../../index/kit/json.ts';
import type { Answer, SearchRequest } from '../../index/search/answer.ts';
import { answerSchema, problemSchema } from '../search/answer-schemas.ts';
import { LIVE, type Remote } from './connect.ts';

const httpResult = v.object({ statusCode: v.number(), body: v.string() });
const failure = v.object({ errorType: v.string(), errorMessage: v.string() });

interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
}

/** Asks a deployed function a question by invoking it directly, bypassing the HTTP endpoint. Throws if it returns no answer. */
export async function ask(
  remote: Remote,
  request: SearchRequest,
  qualifier = LIVE,
): Promise<{ answer: Answer; report: Report | undefined }> {
  const question: HttpRequest = { method: 'POST', path: '/search', body: JSON.stringify(request) };
  const { body: answer, report } = await send(remote, question, qualifier, answerSchema);
  return { answer, report };
}

/** Sends a request to the function. Throws if it failed, or if it returned a status other than 200 or an unexpected body. */
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
      Payload: JSON.stringify(httpEvent(request)),
    }),
  );
  const payload = parseJson(Buffer.from(Payload ?? []).toString());
  const about = `lambda:Invoke of ${functionName} (${qualifier}) with ${request.method} ${request.path}`;
  if (FunctionError !== undefined) {
    const { output, success } = v.safeParse(failure, payload);
    const reason = success ? `${output.errorType}: ${output.errorMessage}` : FunctionError;
    throw new Error(`${about} failed with ${reason}. See the log group /aws/lambda/${functionName}.`);
  }
  const result = v.safeParse(httpResult, payload);
  const body = parseJson(result.success ? result.output.body : '');
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

/**
 * What the function reads of the event that an HTTP API with IAM authorization sends (payload format 2.0). Callers with the right to
 * invoke the function need no API key.
 */
function httpEvent({ method, path, body }: HttpRequest) {
  const requestContext = { authorizer: { iam: {} }, domainName: 'localhost', http: { method } };
  return { version: '2.0', rawPath: path, requestContext, body };
}

/** Lambda's report of an invocation. */
interface Report {
  durationMs: number;
  billedMs: number;
  memoryMb: number;
  /** For a cold start only. */
  initMs?: number;
}

/** Lambda's record of an invocation in JSON log format (its "platform.report" event). */
const record = v.object({
  type: v.literal('platform.report'),
  record: v.object({
    metrics: v.object({
      durationMs: v.number(),
      billedDurationMs: v.number(),
      maxMemoryUsedMB: v.number(),
      initDurationMs: v.optional(v.number()),
    }),
  }),
});

/** Finds the report at the end of an invocation's log. Undefined if there is none, as with a system log level above INFO. */
export function readReport(log: string): Report | undefined {
  for (const line of log.split('\n').reverse()) {
    const { success, output } = v.safeParse(record, parseJson(line));
    if (!success) continue;
    const {
      durationMs,
      billedDurationMs: billedMs,
      maxMemoryUsedMB: memoryMb,
      initDurationMs: initMs,
    } = output.record.metrics;
    return { durationMs, billedMs, memoryMb, ...(initMs !== undefined && { initMs }) };
  }
  return undefined;
}

/** A report as a line for people. */
export function describeReport(report: Report | undefined): string {
  if (!report) return 'Lambda reported no duration (its system log level is above INFO)';
  const { durationMs, billedMs, memoryMb, initMs } = report;
  const init = initMs === undefined ? '' : `, cold start with an init of ${initMs} ms`;
  return `Lambda: ${durationMs} ms, billed ${billedMs} ms, memory ${memoryMb} MB${init}`;
}
