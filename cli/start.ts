import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { styleText } from 'node:util';
import { Option } from 'commander';
import { createApp } from '../functions/search/app.ts';
import { browserOrigins, readApiKeys } from '../functions/search/auth.ts';
import { createAppServer, withCors, withQueue } from '../functions/search/listener.ts';
import type { LogEntry } from '../functions/search/log.ts';
import { readOrigins } from '../functions/search/origins.ts';
import { questionPlaceholder } from '../functions/search/request-schemas.ts';
import { readTokens } from '../functions/search/tokens.ts';
import { DEFAULT_INDEX } from '../index/format/manifest.ts';
import { codeOf } from '../index/format/writable.ts';
import type { Search } from '../index/search/answer.ts';
import { forTerminal, Tool } from './kit/command.ts';
import { collectionOption, jsonOption, portOption, repeatable } from './kit/flags.ts';
import { addModel, answerRoute, type ModelFlags, modelOf } from './kit/llm.ts';

/** How to serve an index. */
export interface ServeFlags extends ModelFlags {
  port: number;
  host?: string;
  cors?: string[];
  page?: boolean;
  logQuestions?: boolean;
  feedback?: boolean;
  unanswered?: string[];
  json?: boolean;
  collection?: Record<string, string>;
  group?: string[];
}

interface Flags extends ServeFlags {
  index?: string;
}

type Say = (message: string) => void;

const NEXT = 'Index your own documents: npx polyseek index PATH\nDeploy to AWS: npx polyseek deploy';

export const command = addModel(new Tool('start', 'Start the endpoint and the search page on this machine.'))
  .addOption(portOption())
  .addOption(new Option('--host <host>', 'address or host name to bind').env('HOST').default('127.0.0.1'))
  .addOption(
    new Option(
      '--index <dir>',
      'folder or s3vectors:// address of the index (default: .polyseek/index; builds a demo index if it does not exist)',
    ).env('INDEX_DIR'),
  )
  .addOption(
    new Option('--cors <origin>', 'origin whose pages may call; * for any (repeatable)')
      .env('CORS_ORIGINS')
      .argParser((text: string, before: string[] = []) => [...before, ...readOrigins(text)]),
  )
  .addOption(collectionOption())
  .option(
    '--group <name>',
    'show everyone the documents restricted to this group (repeatable; with keys or tokens, these say the groups)',
    repeatable(String),
  )
  // commander would take any value of PAGE and LOG_QUESTIONS as true.
  .option('--no-page', 'serve no page at / (env: PAGE=0)')
  .option('--log-questions', 'log the text of each question (env: LOG_QUESTIONS=1)')
  .option('--feedback', 'ask on the page whether an answer helped, and log it (env: FEEDBACK=1)')
  .option('--unanswered <log...>', 'show the questions in these logs that got no sure answer, at /unanswered')
  .addOption(jsonOption())
  .addHelpText(
    'after',
    () => `
${styleText('bold', 'Environment variables for access:')}
  API_KEYS      JSON object of key names and SHA-256 digests; requests then need a key
  JWT_ISSUER    URL of an issuer; requests then need one of its access tokens, or a key
  JWT_AUDIENCE  audiences that a token may have, separated by commas
  JWT_SCOPE     scopes that a token must have, separated by spaces
  JWT_GROUPS    claim with the groups of a caller, for restricted documents`,
  )
  .examples(
    'npx polyseek start',
    'npx polyseek start --port 8080 --index .polyseek/index',
    'npx polyseek start --cors https://app.example --no-page',
    'npx polyseek start --collection hr=hr-index',
    'npx polyseek start --llm http://localhost:11434/v1',
  )
  .action(async ({ index, ...flags }: Flags) => {
    await serve(flags, (say) => openIndex(index, say), NEXT);
  });

/** Opens an index. Builds a demo index if `dir` is undefined and the default index does not exist. */
async function openIndex(dir: string | undefined, say: Say): Promise<Search> {
  // Imported here so that the port is bound before the code that builds indexes is loaded.
  const { buildDemo } = await import('../index/ingest/build-from-sources.ts');
  const { openFollowing } = await import('../index/ingest/open-local.ts');
  const { locateFolder } = await import('../index/format/drafts.ts');
  const { showBuildProgress } = await import('./kit/progress.ts');
  const index = dir || DEFAULT_INDEX;
  if (!dir && !existsSync(locateFolder(DEFAULT_INDEX))) {
    say('No index yet. Building a demo: the Universal Declaration of Human Rights in twelve languages.');
    const { counts } = await buildDemo(DEFAULT_INDEX, showBuildProgress());
    say(`Built ${DEFAULT_INDEX} with ${counts.passages} passages.`);
  }
  return openFollowing(index, say);
}

/** Binds the port and returns the server's URL. Throws an `Error` if another program uses the port. */
async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is in use. Stop the program that uses it, or choose another with --port.`);
  }
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

/**
 * Serves an index until the process is interrupted.
 * @param open opens the index once the port is bound; requests wait for it
 * @param next says what to do next
 * @returns the URL, once the index is open
 */
export async function serve(
  flags: ServeFlags,
  open: (say: Say) => Promise<Search>,
  next: string,
): Promise<string> {
  const { port, host = '127.0.0.1', cors: origins = [], page = true } = flags;
  const { logQuestions, feedback, unanswered, json, collection = {}, group: groups = [] } = flags;
  const { LOG_QUESTIONS, FEEDBACK, API_KEYS, PAGE } = process.env;
  const hasPage = page && PAGE !== '0';
  const apiKeys = readApiKeys(API_KEYS);
  const tokens = readTokens(process.env);
  const model = await modelOf(flags);
  // A closed standard output, as after `polyseek start | head`, loses the log but must not end the server.
  process.stdout.removeAllListeners('error').on('error', () => {});
  // The port is bound first, since building the demo index for a port in use would waste minutes.
  const server = createAppServer((request) => app(request));
  const url = await listen(server, port, host);
  const say = json ? console.error : console.log;
  const search = open(say);
  // All are opened now, so that a wrong folder is an error at the start.
  const collections = new Map(
    Object.entries(collection).map(([name, folder]) => {
      const opened = openIndex(folder, (message) => say(`${name}: ${message}`));
      return [name, () => opened];
    }),
  );
  const endpoint = createApp(search, {
    logQuestions: logQuestions || LOG_QUESTIONS === '1',
    feedback: feedback || FEEDBACK === '1',
    page: hasPage,
    contracts: true,
    chats: process.env,
    apiKeys,
    collections,
    tokens,
    groups,
    origins,
    host,
    hostRoutes: [
      ...(model ? [answerRoute(model)] : []),
      ...(unanswered ? [(await import('./unanswered.ts')).pageOf(unanswered)] : []),
    ],
    ...(process.stdout.isTTY && !json && { log: (entry) => console.log(logLine(entry)) }),
  });
  const app = withCors(withQueue(endpoint), [...origins, ...browserOrigins(apiKeys)]);
  const [{ info }, ...others] = await Promise.all([
    search,
    ...[...collections.values()].map((open) => open()),
  ]);
  const opened = { [url]: info.passages };
  for (const [i, name] of [...collections.keys()].entries())
    opened[`${url}/c/${name}`] = others[i]!.info.passages;
  // One line, as the log follows.
  if (json) console.log(JSON.stringify({ url, ...info }));
  else {
    const { suggestions } = await (await search).overview();
    const access = apiKeys ? 'key' : tokens ? 'token' : undefined;
    console.log(`${greeting(opened, { question: suggestions[0]?.text, hasPage, access })}\n${next}`);
  }
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.removeAllListeners(signal).once(signal, () => server.close(() => process.exit()));
  return url;
}

/** An entry of the log as a line for people. */
function logLine({ timestamp, status, method, route, ms, verdict, q, error }: LogEntry): string {
  const time = new Date(timestamp).toTimeString().slice(0, 8);
  const asked = [verdict, q].filter((part) => part !== undefined).join(' ');
  return forTerminal(
    `${time}  ${status} ${method} ${route}  ${ms} ms  ${asked}`.trimEnd() + (error ? `\n${error}` : ''),
  );
}

/** What the server says at its start: the passages of each index by its URL, the default index first, and how to ask it. */
export function greeting(
  opened: Record<string, number>,
  shown: { question: string | undefined; hasPage: boolean; access: 'key' | 'token' | undefined },
): string {
  const [url] = Object.keys(opened);
  const link = `'${url}/search?${new URLSearchParams({ q: shown.question ?? questionPlaceholder, k: '3' })}'`;
  const headers = { key: "-H 'x-api-key: KEY' ", token: "-H 'Authorization: Bearer TOKEN' " };
  const ask = shown.access
    ? `Try curl ${headers[shown.access]}${link}`
    : `${shown.hasPage ? 'Open it in a browser, or try' : 'Try'} curl ${link}`;
  return [
    ...Object.entries(opened).map(([at, passages]) => `Searching ${passages} passages at ${at}`),
    ask,
  ].join('\n');
}
