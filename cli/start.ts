import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { createApp } from '../functions/search/app.ts';
import { readApiKeys } from '../functions/search/auth.ts';
import { createAppServer } from '../functions/search/listener.ts';
import { exampleQuestion } from '../functions/search/schemas.ts';
import type { Search } from '../index/search/answer.ts';

function readPort(text = '8787'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new Error(`PORT is ${JSON.stringify(text)}, but must be a whole number from 0 to 65535.`);
}

/** Opens the index of INDEX_DIR, or the one that build-index makes, or the demo index, which is built first where there is none. */
async function openIndex(): Promise<Search> {
  // Only here does the server reach code that builds: the function never does.
  const { buildDemo, DEFAULT_INDEX, openLocal } = await import('../index/local.ts');
  const { locateFolder } = await import('../index/format/drafts.ts');
  const { showProgress } = await import('./kit/progress.ts');
  const { INDEX_DIR } = process.env;
  if (!INDEX_DIR && !existsSync(locateFolder(DEFAULT_INDEX))) {
    console.log(
      'No index yet: building the demo, the Universal Declaration of Human Rights in twelve languages.',
    );
    const { counts } = await buildDemo(DEFAULT_INDEX, showProgress('passages and sentences'));
    console.log(`Built ${DEFAULT_INDEX} with ${counts.passages} passages.`);
  }
  return openLocal(INDEX_DIR || DEFAULT_INDEX);
}

/** Binds the port. Throws an `Error` of one sentence if another program has it. */
async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Error(`Port ${port} is in use: stop the program that uses it, or set PORT to another.`);
    }
    throw error;
  }
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

async function main(): Promise<void> {
  const { PORT, HOST = '127.0.0.1', LOG_QUESTIONS, API_KEYS, PAGE, CORS_ORIGINS } = process.env;
  const apiKeys = readApiKeys(API_KEYS);
  // The port comes first: building the demo index takes a while, and would be for nothing.
  const server = createAppServer((request) => app(request));
  const url = await listen(server, readPort(PORT), HOST);
  const search = openIndex();
  const app = createApp(search, {
    logQuestions: LOG_QUESTIONS === '1',
    page: PAGE !== '0',
    apiKeys,
    origins: CORS_ORIGINS?.split(','),
  });
  const { info } = await search;

  const link = `${url}/search?${new URLSearchParams({ q: exampleQuestion, k: '3' })}`;
  console.log(`Searching ${info.passages} passages at ${url}`);
  if (apiKeys) {
    console.log(`Try curl -H 'x-api-key: KEY' '${link}'`);
  } else {
    console.log(`${PAGE === '0' ? 'Try' : 'Open it in a browser, or try'} curl '${link}'`);
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
