import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import type { Answer, SearchRequest } from '../../index/search/answer.ts';
import { answerSchema, problemSchema } from '../search/answer-schemas.ts';
import { LIVE, type Remote } from './connect.ts';

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

/** Lambda's report of an invocation. */
export interface Report {
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

/** Finds the report at the end of an invocation's log, in JSON or text format. Undefined if there is none, as with a system log level above INFO. */
export function readReport(log: string): Report | undefined {
  const lines = log.split('\n').reverse();
  for (const line of lines) {
    const report = fromJson(line) ?? fromText(line);
    if (report) return report;
  }
  return undefined;
}

function fromJson(line: string): Report | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { success, output } = v.safeParse(record, value);
  if (!success) return undefined;
  const { durationMs, billedDurationMs, maxMemoryUsedMB, initDurationMs } = output.record.metrics;
  return makeReport(durationMs, billedDurationMs, maxMemoryUsedMB, initDurationMs);
}

function fromText(line: string): Report | undefined {
  if (!line.startsWith('REPORT RequestId: ')) return undefined;
  const read = (name: string, unit: string) => {
    const [, number] = line.match(new RegExp(`\\t${name}: ([\\d.]+) ${unit}(?=\\t|\\s*$)`)) ?? [];
    return number === undefined ? undefined : Number(number);
  };
  const [duration, billed] = [read('Duration', 'ms'), read('Billed Duration', 'ms')];
  const memory = read('Max Memory Used', 'MB');
  if (duration === undefined || billed === undefined || memory === undefined) return undefined;
  return makeReport(duration, billed, memory, read('Init Duration', 'ms'));
}

function makeReport(durationMs: number, billedMs: number, memoryMb: number, initMs?: number): Report {
  return { durationMs, billedMs, memoryMb, ...(initMs !== undefined && { initMs }) };
}

/** A report as a line for people. */
export function describeReport(report: Report | undefined): string {
  if (!report) return 'Lambda reported no duration (its system log level is above INFO)';
  const { durationMs, billedMs, memoryMb, initMs } = report;
  const init = initMs === undefined ? '' : `, cold start with an init of ${initMs} ms`;
  return `Lambda: ${durationMs} ms, billed ${billedMs} ms, memory ${memoryMb} MB${init}`;
}
