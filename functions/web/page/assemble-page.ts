import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../../../index/search/limits.ts';
import { bundleForBrowser } from '../bundle-browser.ts';

/** The page and its content security policy, which allows only the page's own style and script, and requests to the endpoint. */
export interface Page {
  html: string;
  policy: string;
}

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Assembles index.html, style.css and the browser's modules into one minified text. Requires esbuild, so it runs at packaging and in the local server. */
export async function assemblePage(): Promise<Page> {
  const [style = '', script = ''] = await Promise.all(
    ['style.css', 'browser/page-script.ts'].map((name) => bundleForBrowser(beside(name), 'page')),
  );
  const english = JSON.parse(readFileSync(beside('../browser/texts/en.json'), 'utf8'));
  // Replacement functions, because `$&` in a replacement text has a meaning.
  const html = readFileSync(beside('index.html'), 'utf8')
    .replace('QUESTION_CHARACTERS', String(LIMITS.questionCharacters))
    // The page is in English until its script has chosen a language.
    .replace(/ data-text>([\w.]+)</g, (_, name: string) => ` data-text="${name}">${english[name]}<`)
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`);
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    "connect-src 'self'",
    // The icon in index.html.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // Makes any conversion of text to markup an error.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return { html, policy };
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
