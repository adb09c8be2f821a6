import { fileURLToPath } from 'node:url';
import { openSearch } from '../../index/search/open.ts';
import { createApp } from './app.ts';
import { createHandler } from './handler.ts';

const beside = (folder: string) => fileURLToPath(new URL(folder, import.meta.url));

const { INDEX_DIR = beside('index'), MODEL_DIR = beside('model'), LOG_QUESTIONS } = process.env;

// Node loads its fetch classes at their first use, which takes some 20 ms: better now, while Lambda gives the function
// a full processor, than in the first request.
new Request('https://localhost');

// Opened while Lambda starts the function, before the first request. The bundle was verified when it was made.
const search = await openSearch({ index: INDEX_DIR, model: MODEL_DIR, verify: false });

/** Entry point of the Lambda function: `index.handler`. */
export const handler = createHandler(createApp(search, { logQuestions: LOG_QUESTIONS === '1' }));
