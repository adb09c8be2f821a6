import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { describeError } from '../../index/aws/describe-error.ts';
import type { LoggedQuestion } from '../../index/evaluate/unanswered.ts';
import { parseJson } from '../../index/kit/json.ts';
import type { LogEntry } from '../search/log.ts';
import type { Remote } from './connect.ts';

/** Entries that the report counts. Others would only cost time. */
const FILTER =
  '{ ($.verdict = "none") || ($.verdict = "possible") || ($.helpful IS TRUE) || ($.helpful IS FALSE) }';

/** Reads the lines of a deployed function's log from a time on, in ms since 1970. Throws if it has no log. */
export async function* readDeployedLog(
  { lambda, functionName }: Remote,
  since: number,
): AsyncGenerator<string> {
  const { LoggingConfig } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  const logGroupName = LoggingConfig?.LogGroup ?? `/aws/lambda/${functionName}`;
  const client = new CloudWatchLogsClient({});
  try {
    const pages = paginateFilterLogEvents(
      { client },
      { logGroupName, startTime: since, filterPattern: FILTER },
    );
    for await (const { events = [] } of pages) for (const { message = '' } of events) yield message;
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ResourceNotFoundException')
      throw new Error(`There is no log group ${logGroupName} yet. Ask the function a question first.`, {
        cause,
      });
    const region = await lambda.config.region();
    throw new Error(describeError(cause, { call: 'logs:FilterLogEvents', functionName, region }), { cause });
  }
}

/** What is read of an entry. Anything may be in a log. */
type Entry = Partial<Record<keyof LogEntry, unknown>>;

/**
 * Picks the questions out of the lines of a log. What stands before and after the JSON of an entry is ignored, as `aws logs tail` prints
 * times, and so are other lines.
 * @param since leaves out older entries; in ms since 1970
 * @param collection of the entries; undefined for those of the default index
 * @throws if there are unanswered questions, but the log does not contain their text
 */
export async function questionsIn(
  lines: AsyncIterable<string> | Iterable<string>,
  since: number,
  collection: string | undefined,
): Promise<LoggedQuestion[]> {
  const questions: LoggedQuestion[] = [];
  let isWithoutText = false;
  for await (const line of lines) {
    const json = parseJson(line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1));
    const { q, verdict, helpful, timestamp, ...entry } = Object(json) as Entry;
    if (entry.collection !== collection || !(Date.parse(String(timestamp)) >= since)) continue;
    const found = {
      verdict: (['none', 'possible'] as const).find((one) => one === verdict),
      helpful: typeof helpful === 'boolean' ? helpful : undefined,
    };
    if (found.verdict === undefined && found.helpful === undefined) continue;
    if (typeof q === 'string') questions.push({ q, ...found });
    else isWithoutText = true;
  }
  if (questions.length === 0 && isWithoutText)
    throw new Error(
      'The log contains no text of questions. Set "logQuestions": true in cdk.json and deploy, or start with --log-questions.',
    );
  return questions;
}
