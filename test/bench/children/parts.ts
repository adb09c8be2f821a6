// The imports of functions/search/lambda.ts, for `steps.ts` to import at once.
export { createApp } from '../../../functions/search/app.ts';
export { readApiKeys } from '../../../functions/search/auth.ts';
export { createHandler } from '../../../functions/search/handler.ts';
export { writeEntry } from '../../../functions/search/log.ts';
export { Embedder } from '../../../index/embedding/embedder.ts';
export { openSearch } from '../../../index/search/index-search.ts';
