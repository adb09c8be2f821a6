import { page } from '#page';
import { serveText } from './serve-text.ts';

/** Answers `GET /` of a browser. */
export const servePage = serveText(page.html, {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': page.policy,
  'referrer-policy': 'no-referrer',
  vary: 'accept',
});
