import { readFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';

/** Code for browsers that is bundled apart. */
export type Surface = 'page' | 'widget';

/**
 * Bundles and minifies a script or stylesheet for browsers. Requires esbuild, so it runs at packaging and in the local server.
 * @param entry path of the file
 * @param surface whose UI texts the bundle contains, besides the shared ones
 * @param format `iife` for a script inside HTML, `esm` for a module
 */
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
