import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf, toApiKeys } from '../../../functions/search/auth.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import type { ChatSecrets } from '../../../functions/search/with-chats.ts';
import type { SearchRequest } from '../../../index/search/answer.ts';
import { defaults, request } from './ask.ts';
import { failingSearch, SearchDouble } from './search-double.ts';

/** The secret in Slack's documentation. */
const slack = '8f742231b10e8888abcd99yyyzzz85a5';
/** Base64, as Teams shows it. */
const teams = Buffer.from('a secret of Teams').toString('base64');

const ALL = { SLACK_SIGNING_SECRET: slack, SLACK_BOT_TOKEN: 'xoxb-1', TEAMS_SECRET: teams };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** An endpoint with an API key and the collection `hr`, which logs. */
function open(chats: ChatSecrets = ALL, main = new SearchDouble()) {
  const hr = new SearchDouble();
  const log: LogEntry[] = [];
  const app = createApp(main, {
    chats,
    contracts: true,
    collections: new Map([['hr', async () => hr]]),
    apiKeys: toApiKeys({ bot: digestOf('ps_key').toString('hex') }, 'apiKeys'),
    log: (entry) => log.push(entry),
  });
  return { app, main, hr, log };
}

type Endpoint = ReturnType<typeof open>;
type Headers = Record<string, string>;

const seconds = (ago = 0) => String(Math.floor(Date.now() / 1000) - ago);

/** Sends a request as Slack signs it. */
async function sendSlack(
  { app }: Endpoint,
  body: string,
  { time = seconds(), secret = slack, path = '/slack', headers = {} as Headers } = {},
) {
  const signature = createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex');
  const signed = { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${signature}` };
  const type = body.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded';
  const sent = { 'content-type': type, ...signed, ...headers };
  const response = await request(app, path, { method: 'POST', body, headers: sent });
  return { status: response.status, answer: await response.json() };
}

/** The body of https://docs.slack.dev/authentication/verifying-requests-from-slack, with another text. */
const commandOf = (text: string) =>
  `token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=${encodeURIComponent(text)}&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c`;

const SENTENCE = 'Passports are renewed online.';
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } });
const BLOCKS = [
  section(SENTENCE),
  {
    type: 'context',
    elements: [
      {
        type: 'mrkdwn',
        text: '<https://example.org/passports|Passports › Renewal>',
        verbatim: true,
      },
    ],
  },
];

/** A search whose result has other fields. */
class Double extends SearchDouble {
  private readonly changed: object;

  constructor(changed: object) {
    super();
    this.changed = changed;
  }

  override async search(from: SearchRequest) {
    const answer = await super.search(from);
    return { ...answer, results: answer.results.map((result) => ({ ...result, ...this.changed })) };
  }
}

const HOSTILE = {
  title: 'A | <!channel> [x](y) & *b*',
  highlight: { text: '<@U1> <https://evil.example|login> & _x_ ![](z)', start: 0, end: 1 },
  url: 'https://example.org/a?b=(1)|2&c=<d>',
};

describe('a slash command of Slack', () => {
  test('gets passages, without an API key, and is logged as a search', async () => {
    const endpoint = open();
    const { status, answer } = await sendSlack(endpoint, commandOf('How &lt;long&gt; &amp; why?'));
    expect([status, answer]).toEqual([200, { response_type: 'ephemeral', text: SENTENCE, blocks: BLOCKS }]);
    expect(endpoint.main.requests).toEqual([{ ...defaults, q: 'How <long> & why?', k: 3 }]);
    expect(endpoint.log).toMatchObject([{ route: '/search', status: 200, verdict: 'answered' }]);
  });

  test.each([
    ['perhaps', ['These passages are close to your question.', SENTENCE]],
    ['unlikely', ['Nothing here matches your question.']],
    ['nothing', ['Nothing here matches your question.']],
    ['', ['Add a question, such as: How long does a renewal take?']],
    ['x'.repeat(9000), [expect.stringMatching(/^q has 9,000 characters, but .* is the limit\.$/)]],
  ])('without a sure answer gets a line: %.9s', async (text, lines) => {
    const { status, answer } = await sendSlack(open(), commandOf(text));
    const { blocks } = answer as { blocks: { type: string; text: { text: string } }[] };
    const texts = blocks.filter(({ type }) => type === 'section').map(({ text }) => text.text);
    expect([status, texts]).toEqual([200, lines]);
  });

  test('asks the collection in the path, and learns that there is none', async () => {
    const endpoint = open();
    await sendSlack(endpoint, commandOf('x'), { path: '/c/hr/slack' });
    expect([endpoint.main.requests.length, endpoint.hr.requests.length]).toEqual([0, 1]);
    const { answer } = await sendSlack(endpoint, commandOf('x'), { path: '/c/none/slack' });
    expect(answer).toMatchObject({ text: 'There is no such collection. GET / lists the collections.' });
  });

  test('gets no details of a failure', async () => {
    const app = createApp(failingSearch, { chats: { SLACK_SIGNING_SECRET: slack }, log: () => {} });
    const { status, answer } = await sendSlack({ ...open(), app }, commandOf('x'));
    expect(status).toBe(200);
    expect(answer).toMatchObject({ text: expect.stringMatching(/^The search failed\. The log contains/) });
  });

  test('shows the markup of documents as text', async () => {
    const { answer } = await sendSlack(
      open({ SLACK_SIGNING_SECRET: slack }, new Double(HOSTILE)),
      commandOf('x'),
    );
    expect(answer).toMatchObject({
      blocks: [
        section('&lt;@U1&gt; &lt;https://evil.example|login&gt; &amp; _x_ ![](z)'),
        {
          elements: [
            {
              text: '<https://example.org/a?b=(1)%7C2&amp;c=%3Cd%3E|A | &lt;!channel&gt; [x](y) &amp; *b*>',
            },
          ],
        },
      ],
    });
  });

  test('gets links to the endpoint or none, and texts that Slack accepts', async () => {
    const linkOf = async (changed: object) => {
      const { answer } = await sendSlack(
        open({ SLACK_SIGNING_SECRET: slack }, new Double(changed)),
        commandOf('x'),
      );
      const [sentence, { elements }] = (
        answer as {
          blocks: [ReturnType<typeof section>, (typeof BLOCKS)[1] & { elements: { text: string }[] }];
        }
      ).blocks;
      for (const text of [sentence.text.text, elements[0]!.text]) expect(text.length).toBeLessThan(3000);
      return elements[0]!.text;
    };
    expect(await linkOf({ url: undefined })).toMatch(
      /^<http:\/\/localhost\/passages\/guides%2Fpassports\.md%232\|/,
    );
    expect(await linkOf({ url: 'guides/passports.html' })).toBe('Passports › Renewal');
    expect(await linkOf({ url: 'javascript:alert(1)' })).toBe('Passports › Renewal');
    const text = '&'.repeat(5000);
    const long = { title: text, highlight: { text, start: 0, end: 5000 } };
    expect(await linkOf({ ...long, url: `https://example.org/${'x'.repeat(1900)}` })).toMatch(/^<https:/);
    expect(await linkOf({ ...long, url: `https://example.org/${'x'.repeat(3000)}` })).toMatch(/^&amp;/);
  });
});

describe('the signature of Slack', () => {
  test('is that of its documentation', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1531420618_000 });
    const headers = {
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    };
    const send = (body: string) => sendSlack(open(), body, { headers, time: '1531420618' });
    expect((await send(commandOf(''))).status).toBe(200);
    expect((await send(commandOf('x'))).status).toBe(401);
  });

  test.each([
    ['of 4 minutes ago', { ago: 240 }, 200],
    ['of 6 minutes ago', { ago: 360 }, 401],
    ['of a clock 6 minutes ahead', { ago: -360 }, 401],
    ['with another secret', { secret: 'other' }, 401],
    ['with an empty secret', { secret: '' }, 401],
    ['without a signature', { headers: { 'x-slack-signature': '' } }, 401],
    ['for another time', { headers: { 'x-slack-request-timestamp': seconds(1) } }, 401],
    ['without a time', { time: 'undefined', headers: { 'x-slack-request-timestamp': '' } }, 401],
    ['with an API key alone', { headers: { 'x-slack-signature': '', 'x-api-key': 'ps_key' } }, 401],
  ])(
    'is checked: %s',
    async (_, {
      ago,
      ...sent
    }: { ago?: number; secret?: string; time?: string; headers?: object }, status) => {
      const endpoint = open();
      const options = { time: seconds(ago), ...sent } as Parameters<typeof sendSlack>[2];
      const response = await sendSlack(endpoint, commandOf('x'), options);
      expect(response.status).toBe(status);
      expect(endpoint.main.requests).toHaveLength(status === 200 ? 1 : 0);
      expect(endpoint.log).toMatchObject([{ status }]);
      if (status === 401)
        expect(response.answer).toMatchObject({ detail: expect.stringContaining('signature is not valid') });
    },
  );

  test('covers the whole body, which has a limit', async () => {
    const response = await sendSlack(open(), commandOf('x'.repeat(70_000)));
    expect(response).toMatchObject({ status: 413, answer: { detail: expect.stringContaining('64 KiB') } });
  });

  test('missing, reveals no collection', async () => {
    const statuses = ['/c/hr/slack', '/c/none/slack'].map(
      async (path) => (await sendSlack(open(), commandOf('x'), { path, secret: 'other' })).status,
    );
    expect(await Promise.all(statuses)).toEqual([401, 401]);
  });
});

/** The event of https://docs.slack.dev/reference/events/app_mention. */
const MENTION = {
  token: 'ZZZZZZWSxiZZZ2yIvs3peJ',
  team_id: 'T123ABC456',
  api_app_id: 'A123ABC456',
  event: {
    type: 'app_mention',
    user: 'U061F7AUR',
    text: '<@U0LAN0Z89> is it everything a river should be?',
    ts: '1515449522.000016',
    channel: 'C123ABC456',
    event_ts: '1515449522000016',
  },
  type: 'event_callback',
  event_id: 'Ev123ABC456',
  event_time: 1515449522000,
  authed_users: ['U0LAN0Z89'],
};

const mention = (more: object = {}) => JSON.stringify({ ...MENTION, event: { ...MENTION.event, ...more } });

/** Starts a server for `chat.postMessage`, to which requests of Slack's address go. */
async function standIn(answer: object, status = 200) {
  const posted: { url: string | undefined; token: string | undefined; body: unknown }[] = [];
  const server = createServer(async (received, response) => {
    const { url, headers } = received;
    posted.push({ url, token: headers.authorization, body: await json(received) });
    response.writeHead(status).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const real = fetch;
  vi.stubGlobal('fetch', (url: string, init: RequestInit) =>
    real(url.replace('https://slack.com/', `http://127.0.0.1:${port}/`), init),
  );
  return { posted, close: () => server.close() };
}

describe('a mention in Slack', () => {
  test('gets passages in its thread, before the response', async () => {
    const { posted, close } = await standIn({ ok: true });
    const endpoint = open();
    expect(await sendSlack(endpoint, mention())).toEqual({ status: 200, answer: {} });
    const message = { unfurl_links: false, unfurl_media: false, text: SENTENCE, blocks: BLOCKS };
    const { ts, channel } = MENTION.event;
    const sent = { url: '/api/chat.postMessage', token: 'Bearer xoxb-1' };
    expect(posted).toEqual([{ ...sent, body: { channel, thread_ts: ts, ...message } }]);
    expect(endpoint.main.requests).toEqual([{ ...defaults, q: 'is it everything a river should be?', k: 3 }]);
    await sendSlack(endpoint, mention({ thread_ts: '1.2' }));
    expect(posted[1]?.body).toMatchObject({ thread_ts: '1.2' });
    close();
  });

  test.each([
    ['a retry', mention(), { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' }],
    ['a message of a bot', mention({ bot_id: 'B1' }), {}],
    ['another event', mention({ type: 'message' }), {}],
    ['no event', '{"type":"app_rate_limited","minute_rate_limited":1518467820}', {}],
  ])('is not answered: %s', async (_, body, headers: Headers) => {
    const { posted, close } = await standIn({ ok: true });
    const endpoint = open();
    expect(await sendSlack(endpoint, body, { headers })).toEqual({ status: 200, answer: {} });
    expect([posted, endpoint.main.requests]).toEqual([[], []]);
    close();
  });

  test.each([
    [
      'a refused message',
      200,
      { ok: false, error: 'not_in_channel' },
      'chat.postMessage: not_in_channel. Check',
    ],
    ['a failure of Slack', 503, {}, 'chat.postMessage: status 503. Check'],
  ])('is logged with its error: %s', async (_, status, answer, error) => {
    const { close } = await standIn(answer, status);
    const endpoint = open();
    expect((await sendSlack(endpoint, mention())).status).toBe(500);
    expect(endpoint.log.at(-1)).toMatchObject({ status: 500, error: expect.stringContaining(error) });
    close();
  });

  test('needs a token', async () => {
    const endpoint = open({ SLACK_SIGNING_SECRET: slack });
    expect((await sendSlack(endpoint, mention())).status).toBe(500);
    expect(endpoint.log.at(-1)?.error).toContain('SLACK_BOT_TOKEN is not set');
  });

  test('needs a URL that answers the challenge', async () => {
    // https://docs.slack.dev/reference/events/url_verification
    const challenge = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P';
    const body = JSON.stringify({ token: 'Jhj5dZrVaK7ZwHHjRyZWjbDl', challenge, type: 'url_verification' });
    expect(await sendSlack(open(), body)).toEqual({ status: 200, answer: { challenge } });
    expect((await sendSlack(open(), body, { secret: 'other' })).status).toBe(401);
  });
});

describe('a search in Slack', () => {
  /** As in https://docs.slack.dev/reference/events/function_executed, with the fields of a search function. */
  const executed = (inputs: object) =>
    JSON.stringify({
      type: 'event_callback',
      event: {
        type: 'function_executed',
        function: { id: 'Fn066C7U22JD', callback_id: 'polyseek', type: 'app', app_id: 'A065ZJM410S' },
        inputs,
        function_execution_id: 'Fx1234567O9L',
        workflow_execution_id: 'WxABC123DEF0',
        event_ts: '1698958075.998738',
        bot_access_token: 'abcd-1325532282098-1322446258629',
      },
    });

  const RESULT = {
    external_ref: { id: 'guides/passports.md#2' },
    title: 'Passports › Renewal',
    description: expect.stringContaining(SENTENCE),
    link: 'https://example.org/passports',
    date_updated: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  };

  async function resultsFor(query: unknown, main = new SearchDouble()) {
    const { posted, close } = await standIn({ ok: true });
    const answer = await sendSlack(open(undefined, main), executed({ query }));
    close();
    return { posted, answer };
  }

  test('is completed with passages, before the response', async () => {
    const { posted, answer } = await resultsFor('renew');
    expect(answer).toEqual({ status: 200, answer: {} });
    expect(posted).toEqual([
      {
        url: '/api/functions.completeSuccess',
        token: 'Bearer xoxb-1',
        body: { function_execution_id: 'Fx1234567O9L', outputs: { search_results: [RESULT] } },
      },
    ]);
  });

  test('has the date of a passage, and its own page if its URL is relative', async () => {
    const changed = new Double({ url: 'passports', metadata: { date: '2024-05-17T08:00:00Z' } });
    const { posted } = await resultsFor('renew', changed);
    const link = expect.stringMatching(/^https?:.*\/passages\/guides%2Fpassports\.md%232$/);
    expect(posted[0]?.body).toMatchObject({
      outputs: { search_results: [{ link, date_updated: '2024-05-17' }] },
    });
  });

  test('finds nothing unlikely, and answers no other function', async () => {
    const { posted } = await resultsFor('unlikely');
    expect(posted[0]?.body).toMatchObject({ outputs: { search_results: [] } });
    expect((await resultsFor(undefined)).posted).toEqual([]);
  });

  test('of too long a text is logged as a failure', async () => {
    const endpoint = open();
    expect((await sendSlack(endpoint, executed({ query: 'x'.repeat(9000) }))).status).toBe(500);
    expect(endpoint.log.at(-1)?.error).toContain('The search for Slack failed. q has 9,000 characters');
  });
});

describe('a message of Teams', () => {
  /** As in https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook. */
  const activity = (text: string) =>
    JSON.stringify({
      type: 'message',
      id: '1485983408511',
      timestamp: '2017-02-01T21:10:07.437Z',
      serviceUrl: 'https://smba.trafficmanager.net/amer-client-ss.msg/',
      channelId: 'msteams',
      from: {
        id: '29:1XJKJMvc5GBtc2JwZq0oj8tHZmzrQgFmB39ATiQWA85gQtHieVkKilBZ9XHoq9j7Zaqt7CZ-NJWi7me2kHTL3Bw',
        name: 'Test user',
      },
      conversation: {
        isGroup: true,
        id: '19:253b1f341670408fb6fe51050b6e5ceb@thread.skype;messageid=1485983194839',
      },
      text,
      textFormat: 'plain',
    });

  async function send(
    { app }: Endpoint,
    body: string,
    { secret = teams, sent = body, path = '/teams' } = {},
  ) {
    const digest = createHmac('sha256', Buffer.from(secret, 'base64')).update(body).digest('base64');
    const headers = { 'content-type': 'application/json; charset=utf-8', authorization: `HMAC ${digest}` };
    const response = await request(app, path, { method: 'POST', body: sent, headers });
    return { status: response.status, answer: (await response.json()) as { text?: string } };
  }

  test('gets passages, without an API key', async () => {
    const endpoint = open();
    const body = activity('<at>Docs</at>&nbsp;<p>How &lt;long&gt;?</p>\n');
    expect(await send(endpoint, body)).toEqual({
      status: 200,
      answer: {
        type: 'message',
        text: `${SENTENCE}\n\n[Passports › Renewal](https://example.org/passports)`,
      },
    });
    expect(endpoint.main.requests).toEqual([{ ...defaults, q: 'How <long>?', k: 3 }]);
    await send(endpoint, body, { path: '/c/hr/teams' });
    expect(endpoint.hr.requests).toHaveLength(1);
  });

  test('without a sure answer gets a line', async () => {
    const textOf = async (text: string) => (await send(open(), activity(text))).answer.text;
    expect(await textOf('perhaps')).toMatch(/^These passages are close to your question\.\n\nPassports are/);
    expect(await textOf('nothing')).toBe('Nothing here matches your question.');
    expect(await textOf('<at>Docs</at>')).toBe('Add a question, such as: How long does a renewal take?');
  });

  test('shows the markup of documents as text', async () => {
    const { answer } = await send(open({ TEAMS_SECRET: teams }, new Double(HOSTILE)), activity('x'));
    expect(answer.text).toBe(
      '&lt;@U1&gt; &lt;https://evil.example\\|login&gt; &amp; \\_x\\_ !\\[\\](z)\n\n' +
        '[A \\| &lt;!channel&gt; \\[x\\](y) &amp; \\*b\\*](https://example.org/a?b=%281%29|2&c=%3Cd%3E)',
    );
  });

  test('needs its signature', async () => {
    const other = Buffer.from('other').toString('base64');
    const body = activity('x');
    expect((await send(open(), body, { secret: other })).status).toBe(401);
    expect((await send(open(), body, { sent: activity('y') })).status).toBe(401);
    expect((await request(open().app, '/teams', { method: 'POST', body })).status).toBe(401);
  });

  test('is not answered with a secret that anyone could guess', async () => {
    const endpoint = open({ TEAMS_SECRET: '####' });
    expect((await send(endpoint, activity('x'), { secret: '' })).status).toBe(500);
    expect(endpoint.log[0]?.error).toContain('TEAMS_SECRET is not Base64.');
  });
});

test('a chat without a secret has no route', async () => {
  const statusOf = async (path: string, chats?: ChatSecrets, method = 'POST') => {
    const app = createApp(new SearchDouble(), { log: () => {}, contracts: true, ...(chats && { chats }) });
    return (await request(app, path, { method, ...(method === 'POST' && { body: '{}' }) })).status;
  };
  expect(await statusOf('/slack')).toBe(404);
  expect(await statusOf('/teams')).toBe(404);
  expect(await statusOf('/slack', { SLACK_SIGNING_SECRET: '', TEAMS_SECRET: teams })).toBe(404);
  expect(await statusOf('/teams', { SLACK_SIGNING_SECRET: slack, TEAMS_SECRET: '' })).toBe(404);
  expect(await statusOf('/slack', { SLACK_SIGNING_SECRET: slack })).toBe(401);
  expect(await statusOf('/slack', { SLACK_SIGNING_SECRET: slack }, 'GET')).toBe(404);
  expect(await statusOf('/browser/slack', { SLACK_SIGNING_SECRET: slack })).toBe(404);
});
