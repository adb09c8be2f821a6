// A slash command, as Slack sends it: https://docs.slack.dev/interactivity/implementing-slash-commands
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { Polyseek } from 'polyseek-client';
import { createChat } from 'polyseek-client/chat';

const { POLYSEEK_URL = 'http://localhost:8787', POLYSEEK_API_KEY, PORT = '3000' } = process.env;
const { SLACK_SIGNING_SECRET: secret } = process.env;
const client = new Polyseek({ url: POLYSEEK_URL, apiKey: POLYSEEK_API_KEY });

/** A conversation for each user, so that a question may refer to the one before. */
const chats = new Map();

/** Whether Slack signed a request in the last five minutes. */
function isSigned(headers, body) {
  const time = headers['x-slack-request-timestamp'];
  const given = Buffer.from(String(headers['x-slack-signature']));
  const expected = Buffer.from(
    `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`,
  );
  const isRecent = Math.abs(Date.now() / 1000 - Number(time)) < 300;
  return isRecent && given.length === expected.length && timingSafeEqual(given, expected);
}

async function answer(user, question) {
  const chat = chats.get(user) ?? createChat({ client });
  chats.set(user, chat);
  try {
    const { text } = await chat.ask(question);
    // Slack's markup: a document must not link or mention anybody.
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  } catch (error) {
    console.error(error);
    return 'The search does not respond.';
  }
}

createServer(async (request, response) => {
  const body = await readText(request);
  if (request.method !== 'POST' || (secret && !isSigned(request.headers, body))) {
    response.writeHead(401).end();
    return;
  }
  const form = new URLSearchParams(body);
  const text = await answer(form.get('user_id') ?? '', form.get('text') ?? '');
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ response_type: 'ephemeral', text }));
}).listen(PORT, 'localhost', () => console.log(`http://localhost:${PORT}`));
