import { createHmac } from 'node:crypto';
import { answerQuestion, escapeTags, isEqual, questionOf, type Received, type Search } from './message.ts';

function isSigned({ headers, text }: Received, secret: string): boolean {
  const key = Buffer.from(secret, 'base64');
  // Anyone could sign with an empty key.
  if (key.length === 0)
    throw new Error(
      'TEAMS_SECRET is not Base64. Set it to the security token that Teams shows after it creates an outgoing webhook.',
    );
  return isEqual(headers.authorization, `HMAC ${createHmac('sha256', key).update(text).digest('base64')}`);
}

const escapeMarkdown = (text: string) => escapeTags(text).replace(/[\\`*_[\]#~|]/g, '\\$&');

/** A parenthesis would end the link. */
const escapeUrl = (url: string) => url.replaceAll('(', '%28').replaceAll(')', '%29');

/**
 * Answers a message to an outgoing webhook.
 * https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook
 * @returns the body of the response; undefined if the signature is not valid
 */
export async function answerTeams(
  received: Received,
  secret: string,
  search: Search,
): Promise<object | undefined> {
  if (!isSigned(received, secret)) return undefined;
  const { text = '' } = JSON.parse(received.text) as { text?: string };
  const { line, quotes } = await answerQuestion(questionOf(text), search);
  const parts = quotes.flatMap(({ sentence, title, url }) => {
    const shown = escapeMarkdown(title);
    return [escapeMarkdown(sentence), url ? `[${shown}](${escapeUrl(url)})` : shown];
  });
  return { type: 'message', text: [...(line ? [escapeMarkdown(line)] : []), ...parts].join('\n\n') };
}
