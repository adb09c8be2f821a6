// Runs the steps of functions/search/lambda.ts one by one, and reports the time of each.
import { strictEqual } from 'node:assert';

const [folder, event] = JSON.parse(process.argv[2]!) as [string, unknown];
// Counts from the start of the process.
const node = performance.now();

const { createApp, createHandler, Embedder, openSearch, writeEntry } = await import('./parts.ts');
const imported = performance.now();

const embedder = await Embedder.open(`${folder}/model`, { verify: false });
const modelOpen = performance.now();

let embedMs = 0;
const timed: Pick<typeof embedder, 'model' | 'embed' | 'tokens'> = {
  model: embedder.model,
  tokens: (text, kind) => embedder.tokens(text, kind),
  async embed(text, kind) {
    const start = performance.now();
    const vector = await embedder.embed(text, kind);
    embedMs += performance.now() - start;
    return vector;
  },
};
const search = await openSearch({ index: `${folder}/index`, model: timed, verify: false });
const indexOpen = performance.now();

const answer = await createHandler(createApp(search, { log: writeEntry }))(event, { awsRequestId: 'cold' });
const answered = performance.now();
const now = Date.now();
strictEqual('statusCode' in answer && answer.statusCode, 200);

const { report } = await import('./report.mjs');
report(now, {
  node,
  import: imported - node,
  model: modelOpen - imported,
  index: indexOpen - modelOpen,
  embed: embedMs,
  search: answered - indexOpen - embedMs,
});
