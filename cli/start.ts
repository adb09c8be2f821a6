import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { Option } from 'commander';
import { createApp } from '../functions/search/app.ts';
import { readApiKeys } from '../functions/search/auth.ts';
import { withCors } from '../functions/search/cors.ts';
import { createAppServer } from '../functions/search/listener.ts';
import { readOrigins } from '../functions/search/origins.ts';
import { exampleQuestion } from '../functions/search/request-schemas.ts';
import type { Search } from '../index/search/answer.ts';
import { Tool } from './kit/command.ts';
import { jsonOption, numberOption } from './kit/flags.ts';

interface Flags {
  port: number;
  host: string;
  index?: string;
  cors?: string[];
  page: boolean;
  logQuestions?: boolean;
  json?: boolean;
}

export const command = new Tool('start', 'Start the endpoint and the search page on this machine.')
  .addOption(
    new Option('--port <n>', 'port to bind; 0 picks a free one')
      .env('PORT')
      .default(8787)
      .argParser(numberOption('--port or PORT', 0, 65535, 'a whole number')),
  )
  .addOption(new Option('--host <host>', 'address or host name to bind').env('HOST').default('127.0.0.1'))
  .addOption(
    new Option(
      '--index <dir>',
      'folder of the index (default: .polyseek/index; builds a demo index if it does not exist)',
    ).env('INDEX_DIR'),
  )
  .addOption(
    new Option('--cors <origin>', 'origin whose pages may call; * for any (repeatable)')
      .env('CORS_ORIGINS')
      .argParser((text: string, before: string[] = []) => [...before, ...readOrigins(text)]),
  )
  // commander would take any value of PAGE and LOG_QUESTIONS as true.
  .option('--no-page', 'serve no page at / (env: PAGE=0)')
  .option('--log-questions', 'log the text of each question (env: LOG_QUESTIONS=1)')
  .addOption(jsonOption())
  .addHelpText(
    'after',
    '\nThe environment variable API_KEYS is a JSON object of key names and SHA-256 digests. If it is set, requests need a key.',
  )
  .examples(
    'npx polyseek start',
    'npx polyseek start --port 8080 --index .polyseek/index',
    'npx polyseek start --cors https://app.example --no-page',
  )
  .action(start);

/**
 * Opens an index; by default, the default index. Builds a demo index if the default index does not exist.
 * @param say reports what happens to the index
 */
async function openIndex(dir: string | undefined, say: (message: string) => void): Promise<Search> {
  // Imported here so that the port is bound before the code that builds indexes is loaded.
  const { buildDemo, DEFAULT_INDEX, openLocal } = await import('../index/local.ts');
  const { locateFolder } = await import('../index/format/drafts.ts');
  const { ReloadingSearch } = await import('../index/reloading-search.ts');
  const { showBuildProgress } = await import('./kit/progress.ts');
  const index = dir || DEFAULT_INDEX;
  if (!dir && !existsSync(locateFolder(DEFAULT_INDEX))) {
    say('No index yet. Building a demo: the Universal Declaration of Human Rights in twelve languages.');
    const { counts } = await buildDemo(DEFAULT_INDEX, showBuildProgress());
    say(`Built ${DEFAULT_INDEX} with ${counts.passages} passages.`);
  }
  return ReloadingSearch.open(index, () => openLocal(index), say);
}

/** Binds the port and returns the server's URL. Throws an `Error` if another program uses the port. */
async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Error(
        `Port ${port} is in use. Stop the program that uses it, or choose another with --port.`,
      );
    }
    throw error;
  }
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

async function start({
  port,
  host,
  index,
  cors: origins = [],
  page,
  logQuestions,
  json,
}: Flags): Promise<void> {
  const { LOG_QUESTIONS, API_KEYS, PAGE } = process.env;
  const hasPage = page && PAGE !== '0';
  const apiKeys = readApiKeys(API_KEYS);
  // A closed standard output, as after `polyseek start | head`, loses the log but must not end the server.
  process.stdout.removeAllListeners('error').on('error', () => {});
  // The port is bound first, since building the demo index for a port in use would waste minutes.
  const server = createAppServer((request) => app(request));
  const url = await listen(server, port, host);
  const search = openIndex(index, json ? console.error : console.log);
  const app = withCors(
    createApp(search, {
      logQuestions: logQuestions || LOG_QUESTIONS === '1',
      page: hasPage,
      apiKeys,
      origins,
      host,
    }),
    origins,
  );
  const { info } = await search;

  // One line, as the log follows.
  if (json) console.log(JSON.stringify({ url, ...info }));
  else console.log(greeting(url, info.passages, { hasPage, hasKeys: apiKeys !== undefined }));
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.removeAllListeners(signal).once(signal, () => server.close());
}

function greeting(url: string, passages: number, shown: { hasPage: boolean; hasKeys: boolean }): string {
  const link = `${url}/search?${new URLSearchParams({ q: exampleQuestion, k: '3' })}`;
  const ask = shown.hasKeys
    ? `Try curl -H 'x-api-key: KEY' '${link}'`
    : `${shown.hasPage ? 'Open it in a browser, or try' : 'Try'} curl '${link}'`;
  return `Searching ${passages} passages at ${url}\n${ask}`;
}
