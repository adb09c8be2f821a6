import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { LIMITS } from '../../../index/search/limits.ts';

/** The page and its content security policy, which allows only the page's own style and script, and requests to the endpoint. */
export interface Page {
  html: string;
  policy: string;
}

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Assembles index.html, style.css and the browser's modules into one minified text. Requires esbuild, so it runs at packaging and in the local server. */
export async function assemblePage(): Promise<Page> {
  const [style, script] = await Promise.all([minified('style.css'), minified('browser/page-script.ts')]);
  // Replacement functions, because `$&` in a replacement text has a meaning.
  const html = readFileSync(beside('index.html'), 'utf8')
    .replace('QUESTION_CHARACTERS', String(LIMITS.questionCharacters))
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

async function minified(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [beside(name)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['chrome123', 'firefox128', 'safari17.5'],
    legalComments: 'none',
    logLevel: 'error',
  });
  return outputFiles[0]!.text.trim();
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
