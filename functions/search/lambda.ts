import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Search } from '../../index/search/answer.ts';
import { now } from '../../index/search/clock.ts';
import { openModel, openSearch, searchStore } from '../../index/search/open.ts';
import { NO_INDEX, Unavailable } from '../../index/store/store.ts';
import { createApp } from './app.ts';
import { readApiKeys } from './auth.ts';
import { withMetrics } from './cloudwatch.ts';
import { createHandler } from './handler.ts';
import { type LogEntry, writeEntry } from './log.ts';
import { readOrigins } from './origins.ts';
import { readTokens } from './read-tokens.ts';

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

// An index elsewhere is opened at the same time as the model.
const current = INDEX
  ? (await import('./current-index.ts')).currentIndex(
      INDEX,
      async (store) => searchStore(store, INDEX, await opening),
      Number(TIMEOUT) || undefined,
    )
  : undefined;
// Opened while Lambda starts the function, before the first request. Packaging has verified the checksums.
const opening = openModel(MODEL_DIR, false);
const model = await opening;
const search = current ?? (await openBeside());

/** The index in the function's folder. A function may get its first index later. */
async function openBeside(): Promise<Search | (() => Promise<Search>)> {
  if (existsSync(INDEX_DIR)) return openSearch({ index: INDEX_DIR, model, verify: false });
  return () => Promise.reject(new Unavailable(NO_INDEX));
}

/** Further indexes. The first question to each opens it. */
const folder = beside('collections');
const collections = new Map(
  (existsSync(folder) ? readdirSync(folder) : []).map((name) => [
    name,
    () => openSearch({ index: join(folder, name), model, verify: false }),
  ]),
);

let coldStart: number | undefined = Math.round(now() * 10) / 10;

function log(entry: LogEntry): void {
  writeEntry(withMetrics(entry, AWS_LAMBDA_FUNCTION_NAME, coldStart));
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
