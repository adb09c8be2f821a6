import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { readManifest } from './bundle/manifest.ts';
import { readCompiledModel } from './embedding/compiled-model.ts';
import { checkReplaceable } from './files.ts';
import { findModel } from './local.ts';

const require = createRequire(import.meta.url);
const HANDLER = fileURLToPath(new URL('../functions/search/lambda.ts', import.meta.url));
/** Names of what is in a packaged function, those of esbuild's chunks included. */
const PARTS = /^(index\.mjs|[\w-]+-[0-9A-Z]{8}\.mjs|native|model|index)$/;

/**
 * Puts together what Lambda gets: `index.mjs`, `native/` with this platform's libraries, `model/` and `index/`, all files verified.
 * @param out replaced as a whole; must be a packaged function or not exist
 * @returns the modules in the bundle, as paths from the working directory
 */
export async function packageFunction(index: string, out: string): Promise<string[]> {
  const model = findModel(index);
  readManifest(index, readCompiledModel(model, true), true);
  checkReplaceable(out, (name) => PARTS.test(name), 'a packaged function');
  const draft = `${resolve(out)}.${process.pid}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    const modules = await bundle({ index: HANDLER }, draft);
    copyLibraries(join(draft, 'native'));
    cpSync(model, join(draft, 'model'), { recursive: true });
    cpSync(index, join(draft, 'index'), { recursive: true });
    rmSync(out, { recursive: true, force: true });
    renameSync(draft, out);
    return modules;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Bundles modules for Node, with their native libraries expected in `native/` beside them.
 * @param entries path of a module by the name that its bundle gets, without `.mjs`
 */
export async function bundle(entries: Record<string, string>, out: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: entries,
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // Code for what is rarely asked for (the OpenAPI document) becomes a file of its own, beside the others so that `./native` is right in all.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    // CommonJS packages inside the bundle call require, which an ES module does not have.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [nativeLibraries],
    external: ['./native/*'],
    logLevel: 'error',
    metafile: true,
  });
  return Object.keys(metafile.inputs);
}

/** Both packages look for their library in their own folders; in the bundle it lies in `native/`. */
const nativeLibraries: Plugin = {
  name: 'native-libraries',
  setup({ onLoad }) {
    const load = (name: string) => `module.exports = require('./native/${name}')`;
    onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, () => ({
      contents: `exports.binding = require('./native/onnxruntime_binding.node')`,
    }));
    onLoad({ filter: /hnswlib-node[\\/]lib[\\/]index\.js$/ }, () => ({ contents: load('addon.node') }));
  },
};

function copyLibraries(out: string): void {
  const engine = join(
    dirname(require.resolve('onnxruntime-node/package.json')),
    'bin/napi-v3',
    process.platform,
    process.arch,
  );
  const graph = join(dirname(require.resolve('hnswlib-node/package.json')), 'build/Release/addon.node');
  mkdirSync(out);
  for (const name of readdirSync(engine)) cpSync(join(engine, name), join(out, name));
  cpSync(graph, join(out, 'addon.node'));
}
