import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageFunction } from '../../functions/package/package-function.ts';
import { digestOf } from '../../functions/search/auth.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { Issuer } from '../fixtures/issuer.ts';
import { HTTP_API, type HttpRequest, httpEvent } from '../fixtures/lambda-events.ts';
import { LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { command } from '../fixtures/processes.ts';

// A whole run: builds an index, and asks it everywhere: commands, local server, MCP, packaged function. A program of its own, so that
// a test can run all of it without a network. Every word that must leave no trace comes from the test.

/** What callers send. */
export interface Secrets {
  question: string;
  /** A previous turn of the conversation. */
  history: string;
  /** A value of a filter. */
  filter: string;
  /** An API key, and a text that is none. */
  key: string;
  wrongKey: string;
}

/** What the run reports to the test. */
export interface Run {
  /** Every answer: its HTTP status or exit code, and its text. */
  answers: { to: string; status: unknown; text: string }[];
  /** Secrets that are made within the run. */
  made: string[];
  /** Why a connection to another machine failed. */
  outside: string;
}

const [folder = '', sent = ''] = process.argv.slice(2);
const secrets = JSON.parse(sent) as Secrets;
const { question, history, filter, key, wrongKey } = secrets;
const [project, logs] = [join(folder, 'run/project'), join(folder, 'run/logs')];
const index = join(project, '.polyseek/index');
const run: Run = { answers: [], made: [], outside: '' };
const issuer = await Issuer.start();
const token = await issuer.sign({ claims: { aud: 'https://search.example/mcp' } });
run.made.push(token, ...token.split('.').slice(1));
const settings = {
  API_KEYS: JSON.stringify({ bot: digestOf(key).toString('hex') }),
  JWT_ISSUER: issuer.url,
  JWT_AUDIENCE: 'https://search.example/mcp',
};

/** Runs a command in the project. Its standard output is the answer to the user; standard error counts as a log. */
async function tool(name: string, args: string[], input?: string, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await command(name, args, input, env, project);
  appendFileSync(join(logs, `${name}.log`), stderr);
  run.answers.push({ to: name, status: code, text: stdout });
  return stdout;
}

const mcp = (id: number, method: string, params: object) => ({ jsonrpc: '2.0', id, method, params });
const callSearch = mcp(2, 'tools/call', { name: 'search', arguments: { query: question } });
const initialize = mcp(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'x', version: '1' },
});

/** Requests with the words in each place that a caller can write to, and keys in each header. */
function requests(): HttpRequest[] {
  const words = encodeURIComponent(question);
  const accept = { accept: 'application/json, text/event-stream' };
  const turns = [
    { role: 'user', content: history },
    { role: 'assistant', content: history },
  ];
  const bodies = [
    { q: question, history: turns, filter: { topic: filter, lang: 'en' }, explain: true, matches: true },
    { q: question, [filter]: filter },
    { q: question, k: filter },
    { q: question.repeat(60) },
  ];
  const callers: Record<string, string>[] = [
    { 'x-api-key': key },
    { authorization: `Bearer ${key}` },
    { authorization: `Bearer ${token}` },
  ];
  const strangers: Record<string, string>[] = [
    {},
    { 'x-api-key': wrongKey },
    { authorization: `Bearer ${wrongKey}.${wrongKey}.${wrongKey}` },
  ];
  const paths = [
    `/search?q=${words}`,
    `/search?q=${words}&k=${filter}&${filter}=${words}`,
    `/search?q=${words}&lang=${filter}`,
    `/passages/${words}`,
    `/${words}`,
    `/c/${filter}/search?q=${words}`,
    `/?q=${words}`,
  ];
  return [...callers, ...strangers].flatMap((caller): HttpRequest[] => [
    ...paths.map((path) => ({ path, headers: caller })),
    ...bodies.map((body) => ({ method: 'POST' as const, path: '/search', body, headers: caller })),
    { method: 'POST', path: '/mcp', body: callSearch, headers: { ...caller, ...accept } },
    {
      path: `/search?q=${words}`,
      headers: {
        ...caller,
        origin: `https://${filter}.example`,
        referer: `https://a.example/?q=${words}`,
        cookie: `q=${words}`,
      },
    },
  ]);
}

async function startServer(): Promise<{ url: string; server: ChildProcess }> {
  const file = join(logs, 'server.log');
  const out = openSync(file, 'a');
  const args = [
    'start',
    '--index',
    index,
    '--port',
    '0',
    '--host',
    '127.0.0.1',
    '--collection',
    `hr=${index}`,
  ];
  const env = { ...process.env, ...settings };
  const server = spawn(process.execPath, [POLYSEEK, ...args], {
    cwd: project,
    env,
    stdio: ['ignore', out, out],
  });
  for (;;) {
    const [, url] = /^Searching \d+ passages at (http:\S+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
    if (url) return { url, server };
    if (server.exitCode !== null) throw new Error(`The server ended: ${readFileSync(file, 'utf8')}`);
    await sleep(50);
  }
}

/** Sends all requests to a packaged function, and keeps its log. */
async function askFunction(
  packaged: string,
  log: string,
  requests: HttpRequest[],
  env: Record<string, string> = {},
): Promise<void> {
  const runtime = new LambdaRuntime({ folder: packaged, env: { ...settings, ...env } });
  const events = [
    ...requests.map((request) => httpEvent(HTTP_API, request)),
    { q: question, history: [{ role: 'user', content: history }] },
    { q: question, k: filter },
    { [filter]: question },
  ];
  for (const event of events) {
    const { payload, functionError, log: written } = await runtime.invoke(event);
    appendFileSync(join(folder, log), written);
    const { statusCode = functionError ?? 'answer' } = payload as { statusCode?: number };
    run.answers.push({ to: log, status: statusCode, text: JSON.stringify(payload) });
  }
  await runtime.close();
}

const outside = connect(9, '192.0.2.1');
outside.setTimeout(2_000, () => outside.destroy(new Error('it timed out')));
run.outside = String((await once(outside, 'error').catch((error) => [error]))[0]);

for (const path of [logs, join(project, 'docs')]) mkdirSync(path, { recursive: true });
writeFileSync(
  join(project, 'docs/lighthouse.md'),
  '# Lighthouse\n\nIts white light flashes once every 12 seconds.\n',
);
writeFileSync(
  join(project, 'docs/mill.csv'),
  'title,text,topic\nMill,The tidal mill grinds barley at low tide.,mill\n',
);
writeFileSync(join(project, 'cdk.json'), '{ "context": {} }\n');
await tool('index', ['docs']);
run.made.push((await tool('key', ['site'])).trim());
await tool('search', [question, '--explain', '--matches', '--filter', `topic=${filter}`]);
await tool('search', ['-', '--json'], question);
await tool('chat', ['--min-confidence', '0'], `${question}\n${history}\n`);
await tool('embed', [question]);
await tool('mcp', [], [initialize, callSearch].map((message) => `${JSON.stringify(message)}\n`).join(''));

const { url, server } = await startServer();
for (const { method = 'GET', path, body, headers = {} } of requests()) {
  const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const init = {
    method,
    headers: { ...json, ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  };
  const response = await fetch(url + path, init);
  run.answers.push({ to: 'server', status: response.status, text: await response.text() });
}
await tool('search', [question, '--url', url], '', { POLYSEEK_API_KEY: key });
await tool('search', [question, '--url', url, '--key', wrongKey]);
server.kill();
await once(server, 'close');

const packaged = join(folder, 'run/function');
await packageFunction(index, packaged);
await askFunction(packaged, 'run/logs/function.log', requests());
// Errors are logged with their causes.
const damaged = join(folder, 'run/damaged');
cpSync(packaged, damaged, { recursive: true });
const passages = join(damaged, 'index/passages.bin');
writeFileSync(passages, readFileSync(passages).fill(0x55, 200));
await askFunction(damaged, 'run/logs/damaged.log', requests().slice(0, 13));
// Shows that the words are found where they are.
await askFunction(packaged, 'control.log', requests(), { LOG_QUESTIONS: '1' });

await issuer.close();
writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
