import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withMetrics } from '../../index/aws/metrics.ts';
import type { Search } from '../../index/search/answer.ts';
import { now } from '../../index/search/clock.ts';
import { openModel, openSearch, searchStore } from '../../index/search/index-search.ts';
import { NO_INDEX, Unavailable } from '../../index/store/store.ts';
import { createApp } from './app.ts';
import { readApiKeys, readTokens } from './auth.ts';

import { createHandler } from './handler.ts';
import { type LogEntry, metricsOf, writeEntry } from './log.ts';
import { readOrigins } from './origins.ts';

const beside = (folder: string) => fileURLToPath(new URL(folder, import.meta.url));

const {
  INDEX,
  INDEX_DIR = beside('index'),
  TIMEOUT,
  MODEL_DIR = beside('model'),
  LOG_QUESTIONS,
  API_KEYS,
  PAGE,
  CORS_ORIGINS,
  JWT_ISSUER,
  JWT_AUDIENCE,
  JWT_SCOPE,
} = process.env;
/** Set by Lambda. */
const { AWS_LAMBDA_FUNCTION_NAME = 'local' } = process.env;

const apiKeys = readApiKeys(API_KEYS);
const tokens = readTokens({ JWT_ISSUER, JWT_AUDIENCE, JWT_SCOPE });

/** Opens something at once. Returns a function that returns it, or opens it again if that failed. */
function opener<T>(open: () => Promise<T>): () => Promise<T> {
  let opening = open();
  // The first request reports a failure.
  opening.catch(() => {});
  return () => {
    opening = opening.catch(open);
    return opening;
  };
}

// All is opened while Lambda starts the function, before the first request. An index elsewhere is opened at the same time as the model.
const current = INDEX
  ? (await import('./current-index.ts')).currentIndex(
      INDEX,
      async (store) => searchStore(store, INDEX, await model()),
      Number(TIMEOUT) || undefined,
    )
  : undefined;
const model = opener(() => openModel(MODEL_DIR, 'blocks'));
const search = current ?? opener(openBeside);
await Promise.allSettled([current ? model() : search()]);

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

/**
 * Entry point of the Lambda function: `lambda.handler`. Lambda's runtime would resolve `index.handler` to the folder
 * of the index.
 */
export const handler = createHandler(
  createApp(search, {
    logQuestions: LOG_QUESTIONS === '1',
    page: PAGE !== '0',
    apiKeys,
    collections,
    tokens,
    origins: readOrigins(CORS_ORIGINS),
    log,
  }),
);
