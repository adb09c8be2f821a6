import { fileURLToPath } from 'node:url';
import { bundleForBrowser } from '../bundle-browser.ts';

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Assembles the web component, its style and its texts into one minified ES module. Requires esbuild, so it runs at packaging and in the local server. */
export async function assembleWidget(): Promise<string> {
  const [style = '', script = ''] = await Promise.all([
    bundleForBrowser(beside('browser/widget.css'), 'widget'),
    bundleForBrowser(beside('browser/widget.ts'), 'widget', 'esm'),
  ]);
  // A string in the script, not `<style>`, which the policy of a page may forbid.
  return script.replace('"POLYSEEK_STYLE"', () => JSON.stringify(scalable(style)));
}

/**
 * Replaces the unit `rem` by the style's own `--rem`, except in its definition and in the conditions of media queries. Many sites
 * set another size for `rem`.
 */
function scalable(style: string): string {
  return style.replace(/[^{}]*\{|[^{}]+/g, (part) =>
    part.endsWith('{') ? part : part.replace(/(?<!max\(|[\d.])(-?[\d.]+)rem\b/g, 'calc($1*var(--rem))'),
  );
}
