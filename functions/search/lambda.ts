import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withMetrics } from '../../index/aws/metrics.ts';
import type { Search } from '../../index/search/answer.ts';
import { now } from '../../index/search/clock.ts';
import { openModel, openSearch, searchStore } from '../../index/search/index-search.ts';
import { NO_INDEX, Unavailable } from '../../index/store/store.ts';
import { createApp, opener } from './app.ts';
import { readApiKeys } from './auth.ts';
import { createHandler } from './handler.ts';
import { type LogEntry, metricsOf, writeEntry } from './log.ts';
import { readOrigins } from './origins.ts';
import { readTokens } from './tokens.ts';

const beside = (folder: string) => fileURLToPath(new URL(folder, import.meta.url));

const { INDEX, INDEX_DIR = beside('index'), MODEL_DIR = beside('model'), TIMEOUT } = process.env;
const { API_KEYS, CONTRACTS, CORS_ORIGINS, FEEDBACK, LOG_QUESTIONS, PAGE } = process.env;
const { AWS_LAMBDA_FUNCTION_NAME = 'local' } = process.env;
// A wrong setting must fail before the index is opened.
const apiKeys = readApiKeys(API_KEYS);
const tokens = readTokens(process.env);
const contracts = CONTRACTS === '1';

// All is opened while Lambda starts the function, before the first request, which reports a failure. An index elsewhere is opened at the
// same time as the model.
const model = opener(() => openModel(MODEL_DIR, 'blocks'));
const search = INDEX
  ? (await import('./current-index.ts')).currentIndex(
      INDEX,
      async (store) => searchStore(store, INDEX, await model()),
      Number(TIMEOUT) || undefined,
    )
  : opener(openBeside);
await Promise.allSettled([INDEX ? model() : search()]);

async function openIndex(index: string): Promise<Search> {
  return openSearch({ index, model: await model(), verify: 'blocks' });
}

/** The index in the function's folder. A function may get its first index later. */
async function openBeside(): Promise<Search> {
  if (!existsSync(INDEX_DIR)) throw new Unavailable(NO_INDEX);
  return openIndex(INDEX_DIR);
}

/** Further indexes. The first question to each opens it. */
const folder = beside('collections');
const collections = new Map(
  (existsSync(folder) ? readdirSync(folder) : []).map((name) => [name, () => openIndex(join(folder, name))]),
);

let coldStart: number | undefined = Math.round(now() * 10) / 10;

function log(entry: LogEntry): void {
  const metrics = metricsOf(entry, coldStart);
  writeEntry(withMetrics(entry, AWS_LAMBDA_FUNCTION_NAME, metrics, Date.parse(entry.timestamp)));
  coldStart = undefined;
}

/** The Lambda function is `lambda.handler`. Lambda's runtime would resolve `index.handler` to the folder of the index. */
export const handler = createHandler(
  createApp(search, {
    logQuestions: LOG_QUESTIONS === '1',
    page: PAGE !== '0',
    feedback: FEEDBACK === '1',
    contracts,
    chats: process.env,
    apiKeys,
    collections,
    tokens,
    origins: readOrigins(CORS_ORIGINS),
    log,
  }),
  contracts,
);
