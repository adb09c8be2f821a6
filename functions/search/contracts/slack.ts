import { createHmac } from 'node:crypto';
import {
  absolute,
  answerQuestion,
  escapeTags,
  isEqual,
  type Message,
  MOST_TITLE,
  questionOf,
  type Received,
  type Search,
  shorten,
} from './message.ts';

/** Slack's recommendation, so that nobody can send a recorded request later. */
const MAX_AGE_SECONDS = 5 * 60;

const TIMEOUT_MS = 5_000;

/** Results for Slack's search. */
const MOST_RESULTS = 10;

const ISO_DATE = /^\d{4}-\d\d-\d\d/;

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
function isSigned({ headers, text }: Received, secret: string): boolean {
  const { 'x-slack-request-timestamp': time, 'x-slack-signature': signature } = headers;
  const expected = createHmac('sha256', secret).update(`v0:${time}:${text}`).digest('hex');
  return (
    Math.abs(Date.now() / 1000 - Number(time)) <= MAX_AGE_SECONDS && isEqual(signature, `v0=${expected}`)
  );
}

/** Verbatim, so that a document can mention nobody. */
const markup = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });

const section = (text: string) => ({ type: 'section', text: markup(escapeTags(text)) });

/** A message as blocks, with a text for notifications. https://docs.slack.dev/reference/block-kit/blocks */
function toBlocks({ line, quotes }: Message): object {
  const lines = line ? [line] : [];
  return {
    text: escapeTags([...lines, ...quotes.map(({ sentence }) => sentence)].join('\n')),
    blocks: [
      ...lines.map(section),
      ...quotes.flatMap(({ sentence, title, url }) => {
        const shown = escapeTags(title);
        const link = url && `<${escapeTags(url.replaceAll('|', '%7C'))}|${shown}>`;
        return [section(sentence), { type: 'context', elements: [markup(link ?? shown)] }];
      }),
    ],
  };
}

/** Calls a method of Slack's API. https://docs.slack.dev/apis/web-api/ */
async function callSlack(method: string, body: object, token: string | undefined): Promise<void> {
  if (!token)
    throw new Error(
      'Slack waits for an answer, but SLACK_BOT_TOKEN is not set. Set it to the Bot User OAuth Token of the app.',
    );
  const response = await fetch(`https://slack.com/api/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { ok, error = `status ${response.status}` } = response.ok
    ? ((await response.json()) as { ok: boolean; error?: string })
    : { ok: false };
  if (ok) return;
  throw new Error(
    `Slack refused ${method}: ${error}. Check SLACK_BOT_TOKEN, its scope chat:write, and that the app is in the channel.`,
  );
}

/** Results for Slack's search. https://docs.slack.dev/enterprise-search/developing-apps-with-search-features */
async function searchResults(q: string, search: Search): Promise<object[]> {
  const { found, linkTo } = await search({ q, k: MOST_RESULTS });
  // The question is Slack's, so that its faults are ours.
  if (!('results' in found)) throw new Error(`The search for Slack failed. ${found.detail}`);
  const results = found.verdict === 'none' ? [] : found.results;
  return results.map((result) => {
    const { url, ...ownPage } = result;
    const date = result.metadata?.date;
    return {
      external_ref: { id: result.id },
      title: shorten(result.title || result.source, MOST_TITLE),
      description: result.text,
      link: absolute(linkTo(result)) ?? linkTo(ownPage),
      // Required.
      date_updated:
        (typeof date === 'string' && ISO_DATE.exec(date)?.[0]) || new Date().toISOString().slice(0, 10),
    };
  });
}

/** What is read of an event: https://docs.slack.dev/reference/events */
interface SlackEvent {
  type?: string;
  challenge?: string;
  event?:
    | { type: 'app_mention'; text: string; channel: string; ts: string; thread_ts?: string; bot_id?: string }
    | { type: 'function_executed'; function_execution_id: string; inputs: { query?: unknown } }
    | { type: 'other' };
}

/**
 * Answers a slash command, posts the answer to a mention, or completes a search. Lambda stops the function once it has responded, so Slack
 * is called before that, and its retries are ignored.
 * @returns the body of the response; undefined if the signature is not valid
 */
export async function answerSlack(
  received: Received,
  { secret, token }: { secret: string; token: string | undefined },
  search: Search,
): Promise<object | undefined> {
  const { headers, text } = received;
  if (!isSigned(received, secret)) return undefined;
  if (!headers['content-type']?.startsWith('application/json')) {
    const question = questionOf(new URLSearchParams(text).get('text') ?? '');
    return { response_type: 'ephemeral', ...toBlocks(await answerQuestion(question, search)) };
  }
  const { type, challenge, event } = JSON.parse(text) as SlackEvent;
  if (type === 'url_verification') return { challenge };
  if (headers['x-slack-retry-num'] !== undefined) return {};
  // Two bots could answer each other for ever.
  if (event?.type === 'app_mention' && event.bot_id === undefined) {
    const { channel, ts, thread_ts = ts } = event;
    const message = toBlocks(await answerQuestion(questionOf(event.text), search));
    const posted = { channel, thread_ts, unfurl_links: false, unfurl_media: false, ...message };
    await callSlack('chat.postMessage', posted, token);
  }
  if (event?.type === 'function_executed' && typeof event.inputs.query === 'string') {
    const outputs = { search_results: await searchResults(event.inputs.query, search) };
    const { function_execution_id } = event;
    await callSlack('functions.completeSuccess', { function_execution_id, outputs }, token);
  }
  return {};
}
