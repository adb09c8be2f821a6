import type { ApiKey, Use } from './auth.ts';

/**
 * Why `isAllowed` refuses a key, and what to change. Loaded only when it does. Imports no code, because esbuild would move
 * shared code into another file, which each cold start would open.
 */
export function explainRefusal({ origins, collections = [] }: ApiKey, use: Use): string {
  const { browser, page, searches } = use;
  if (!origins && browser)
    return 'This key is secret, but /browser is for pages, whose keys are public. Create a browser key with npx polyseek key NAME --origin ORIGIN. If a page contains this key, revoke it.';
  if (origins && !browser)
    return 'This is a browser key. Use it at paths that start with /browser, such as /browser/search.';
  if (origins && page === undefined)
    return 'This is a browser key, but the request has no Origin header. Browsers send it; programs need a secret key.';
  if (origins && page !== undefined && !origins.includes(page))
    return `Pages of the origin ${JSON.stringify(page)} may not use this browser key. Add the origin to the key in cdk.json, or create another key.`;
  if (origins && !searches)
    return 'This is a browser key, which may only use /search, /passages, /overview and /health. Use a secret key here.';
  return `This key may only use ${collections.map((one) => `/c/${one}`).join(', ')}.`;
}
