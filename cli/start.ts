import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { styleText } from 'node:util';
import { createApp } from '../functions/search/app.ts';
import { browserOrigins, readApiKeys } from '../functions/search/auth.ts';
import { withCors } from '../functions/search/cors.ts';
import { createAppServer } from '../functions/search/listener.ts';
import { readOrigins } from '../functions/search/origins.ts';
import { readTokens } from '../functions/search/read-tokens.ts';
import { exampleQuestion } from '../functions/search/request-schemas.ts';
import type { Search } from '../index/search/answer.ts';
import { Tool } from './kit/command.ts';
import { collectionOption } from './kit/flags.ts';

const DEFAULT_PORT = '8787';
const DEFAULT_HOST = '127.0.0.1';

export const command = new Tool('start', 'Start the endpoint on this machine.')
  .addOption(collectionOption())
  .addHelpText(
    'after',
    () => `
${styleText('bold', 'Environment variables:')}
  PORT           port to bind; 0 picks a free one (default: ${DEFAULT_PORT})
  HOST           address or host name to bind (default: ${DEFAULT_HOST})
  INDEX_DIR      folder of the index (default: .polyseek/index; builds a demo index if it does not exist)
  API_KEYS       JSON object of key names and SHA-256 digests; requests then need a key
  JWT_ISSUER     URL of an issuer; requests then need one of its access tokens, or a key
  JWT_AUDIENCE   audiences that a token may have, separated by commas
  JWT_SCOPE      scopes that a token must have, separated by spaces
  CORS_ORIGINS   origins whose pages may call, separated by commas; * for any
  LOG_QUESTIONS  1 logs the text of each question
  PAGE           0 removes the page at /`,
  )
  .examples(
    'npx polyseek start',
    'PORT=8080 INDEX_DIR=.polyseek/index npx polyseek start',
    'CORS_ORIGINS=https://app.example npx polyseek start',
    'npx polyseek start --collection hr=hr-index',
  )
  .action(start);

function readPort(text = DEFAULT_PORT): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new Error(`PORT is ${JSON.stringify(text)}, but must be a whole number from 0 to 65535.`);
}

/** Opens the index in INDEX_DIR, or the default index. Builds a demo index if the default index does not exist. */
async function openIndex(): Promise<Search> {
  // Imported here so that the port is bound before the code that builds indexes is loaded.
  const { buildDemo, DEFAULT_INDEX, openLocal } = await import('../index/local.ts');
  const { locateFolder } = await import('../index/format/drafts.ts');
  const { ReloadingSearch } = await import('../index/reloading-search.ts');
  const { showBuildProgress } = await import('./kit/progress.ts');
  const { INDEX_DIR } = process.env;
  if (!INDEX_DIR && !existsSync(locateFolder(DEFAULT_INDEX))) {
    console.log(
      'No index yet. Building a demo: the Universal Declaration of Human Rights in twelve languages.',
    );
    const { counts } = await buildDemo(DEFAULT_INDEX, showBuildProgress());
    console.log(`Built ${DEFAULT_INDEX} with ${counts.passages} passages.`);
  }
  const index = INDEX_DIR || DEFAULT_INDEX;
  return ReloadingSearch.open(index, () => openLocal(index), console.log);
}

/** Opens the index of a collection. */
async function openCollection(name: string, folder: string): Promise<Search> {
  const { openLocal } = await import('../index/local.ts');
  const { ReloadingSearch } = await import('../index/reloading-search.ts');
  return ReloadingSearch.open(
    folder,
    () => openLocal(folder),
    (message) => console.log(`${name}: ${message}`),
  );
}

/** Binds the port and returns the server's URL. Throws an `Error` if another program uses the port. */
async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Error(`Port ${port} is in use. Stop the program that uses it, or set PORT to another.`);
    }
    throw error;
  }
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

async function start({ collection = {} }: { collection?: Record<string, string> }): Promise<void> {
  const { PORT, HOST = DEFAULT_HOST, LOG_QUESTIONS, API_KEYS, PAGE, CORS_ORIGINS } = process.env;
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SCOPE } = process.env;
  const apiKeys = readApiKeys(API_KEYS);
  const tokens = readTokens({ JWT_ISSUER, JWT_AUDIENCE, JWT_SCOPE });
  const origins = readOrigins(CORS_ORIGINS);
  // A closed standard output, as after `polyseek start | head`, loses the log but must not end the server.
  process.stdout.removeAllListeners('error').on('error', () => {});
  // The port is bound first, since building the demo index for a port in use would waste minutes.
  const server = createAppServer((request) => app(request));
  const url = await listen(server, readPort(PORT), HOST);
  const search = openIndex();
  // All are opened now, so that a wrong folder is an error at the start.
  const collections = Object.entries(collection).map(([name, folder]) => ({
    name,
    search: openCollection(name, folder),
  }));
  const app = withCors(
    createApp(search, {
      logQuestions: LOG_QUESTIONS === '1',
      page: PAGE !== '0',
      apiKeys,
      collections: new Map(collections.map(({ name, search }) => [name, () => search])),
      tokens,
      origins,
      host: HOST,
    }),
    [...origins, ...browserOrigins(apiKeys)],
  );
  const [{ info }, ...others] = await Promise.all([search, ...collections.map((one) => one.search)]);

  const link = `${url}/search?${new URLSearchParams({ q: exampleQuestion, k: '3' })}`;
  console.log(`Searching ${info.passages} passages at ${url}`);
  for (const [i, { name }] of collections.entries())
    console.log(`Searching ${others[i]!.info.passages} passages at ${url}/c/${name}`);
  if (apiKeys) {
    console.log(`Try curl -H 'x-api-key: KEY' '${link}'`);
  } else if (tokens) {
    console.log(`Try curl -H 'Authorization: Bearer TOKEN' '${link}'`);
  } else {
    console.log(`${PAGE === '0' ? 'Try' : 'Open it in a browser, or try'} curl '${link}'`);
  }
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.removeAllListeners(signal).once(signal, () => server.close());
}
