import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { LIMITS } from '../../index/search/limits.ts';

// Requires esbuild, so it runs at packaging and in the local server. `#assets` is assets-packaged.ts elsewhere.

/** Code for browsers that is bundled apart. */
export type Surface = 'page' | 'widget';

/** The page and its content security policy, which allows only the page's own style and script, and requests to the endpoint. */
export interface Page {
  html: string;
  policy: string;
}

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Assembles the page at `/` from its HTML, style and script into one minified text. */
export async function loadPage(): Promise<Page> {
  const [style, script] = await Promise.all([
    bundleForBrowser(pathOf('page/style.css'), 'page'),
    bundleForBrowser(pathOf('page/page.ts'), 'page'),
  ]);
  const english = JSON.parse(readFileSync(pathOf('browser/texts/en.json'), 'utf8'));
  // Replacement functions, because `$&` in a replacement text has a meaning.
  const html = readFileSync(pathOf('page/index.html'), 'utf8')
    .replace('QUESTION_CHARACTERS', String(LIMITS.questionCharacters))
    // The page is in English until its script has chosen a language.
    .replace(/ data-text>([\w.]+)</g, (_found, name: string) => ` data-text="${name}">${english[name]}<`)
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

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Assembles the web component, its style and its texts into one minified ES module. */
export async function loadWidget(): Promise<string> {
  const [style, script] = await Promise.all([
    bundleForBrowser(pathOf('widget/widget.css'), 'widget'),
    bundleForBrowser(pathOf('widget/widget.ts'), 'widget', 'esm'),
  ]);
  // A string in the script, not `<style>`, which the policy of a page may forbid.
  return script.replace('"POLYSEEK_STYLE"', () => JSON.stringify(scalable(style)));
}

/** Replaces the unit `rem` by the style's own `--rem`, but in its definition and in media queries. Many sites set another `rem`. */
function scalable(style: string): string {
  return style.replace(/[^{}]*\{|[^{}]+/g, (part) =>
    part.endsWith('{') ? part : part.replace(/(?<!max\(|[\d.])(-?[\d.]+)rem\b/g, 'calc($1*var(--rem))'),
  );
}

/** Bundles and minifies a script or stylesheet for browsers, with the UI texts of a surface: `iife` for HTML, `esm` for a module. */
export async function bundleForBrowser(
  entry: string,
  surface: Surface,
  format: 'iife' | 'esm' = 'iife',
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format,
    // CJK and Arabic UI texts would otherwise become escapes of 6 bytes per letter.
    charset: 'utf8',
    target: ['chrome123', 'firefox128', 'safari17.5'],
    legalComments: 'none',
    logLevel: 'error',
    plugins: [textsOf(surface)],
  });
  return outputFiles[0]!.text.trim();
}

/** Removes texts that only other surfaces use. */
function textsOf(surface: Surface): Plugin {
  return {
    name: 'ui-texts',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]browser[\\/]texts[\\/][\w-]+\.json$/ }, ({ path }) => {
        const texts = Object.entries(JSON.parse(readFileSync(path, 'utf8')));
        const own = texts.filter(([name]) => !name.includes('.') || name.startsWith(`${surface}.`));
        return { contents: JSON.stringify(Object.fromEntries(own)), loader: 'json' };
      });
    },
  };
}
