import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { assemblePage } from '../../functions/search/page/assemble.ts';
import { readManifest } from '../bundle/manifest.ts';
import { readCompiledModel } from '../embedding/compiled-model.ts';
import { checkReplaceable, passing } from '../files.ts';
import { findModel } from '../local.ts';
import { type Architecture, copyLibraries } from './libraries.ts';

const HANDLER = fileURLToPath(new URL('../../functions/search/lambda.ts', import.meta.url));
/** Names of what is in a packaged function, those of esbuild's chunks included. */
const PARTS = /^(lambda\.mjs|[\w-]+-[0-9A-Z]{8}\.mjs|native|model|index)$/;

/**
 * Puts together what Lambda gets: `lambda.mjs`, `native/`, `model/` and `index/`, all files verified.
 * @param out replaced as a whole; must be a packaged function or not exist
 * @param architecture of the Lambda function; without it, the folder is for this machine
 * @returns the modules in the bundle, as paths from the working directory
 */
export async function packageFunction(
  index: string,
  out: string,
  architecture?: Architecture,
): Promise<string[]> {
  const model = findModel(index);
  const compiled = readCompiledModel(model, true);
  readManifest(index, compiled, true);
  checkReplaceable(out, (name) => PARTS.test(name), 'a packaged function');
  const draft = `${resolve(out)}.${process.pid}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  return passing(draft, async () => {
    const modules = await bundle({ lambda: HANDLER }, draft);
    await copyLibraries(join(draft, 'native'), compiled.engine, architecture);
    cpSync(model, join(draft, 'model'), { recursive: true });
    cpSync(index, join(draft, 'index'), { recursive: true });
    makeReadable(draft);
    rmSync(out, { recursive: true, force: true });
    renameSync(draft, out);
    return modules;
  });
}

/** Lets everyone read a folder, whatever the umask here: Lambda runs a function as another user. */
function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
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
    // Code for what is rarely asked for (the OpenAPI document, the page, MCP) becomes a file of its own, beside the others so that `./native` is right in all.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    // CommonJS packages inside the bundle call require, which an ES module does not have.
    banner: {
      js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
    },
    plugins: [nativeLibraries, assembledPage, withoutValidator, builtins],
    external: ['./native/*'],
    logLevel: 'error',
    metafile: true,
  });
  return Object.keys(metafile.inputs).filter((path) => !path.startsWith(`${BUILTIN}:`));
}

/** Each engine's code finds its library elsewhere; in the bundle it lies in `native/`. */
const nativeLibraries: Plugin = {
  name: 'native-libraries',
  setup({ onLoad }) {
    onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, () => ({
      contents: `exports.binding = require('./native/onnxruntime_binding.node')`,
    }));
    onLoad({ filter: /index[\\/]embedding[\\/]library\.ts$/ }, () => ({
      contents: `export const loadLibrary = () => require('./native/encoder.node')`,
    }));
  },
};

const BUILTIN = 'builtin';

/**
 * Node's own modules, not by import: that reads all that a module exports, and so makes Node load what stands behind (streams behind
 * `node:fs`, Web Crypto behind `node:crypto`) at each cold start.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    const isBuiltin = /^(node:)?(crypto|fs|path|url)$/;
    // What is imported where it is needed stays an import.
    onResolve({ filter: isBuiltin }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : { path, namespace: BUILTIN },
    );
    onLoad({ filter: /.*/, namespace: BUILTIN }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

/** The page is put together here once, from sources that do not go into the function. */
const assembledPage: Plugin = {
  name: 'assembled-page',
  setup({ onLoad }) {
    onLoad({ filter: /functions[\\/]search[\\/]page[\\/]page\.ts$/ }, async () => ({
      contents: `export const page = ${JSON.stringify(await assemblePage())}`,
    }));
  },
};

/** MCP's SDK brings a validator of JSON Schema for what users are asked to fill in, which this server never asks for: a third of its code. */
const withoutValidator: Plugin = {
  name: 'without-validator',
  setup({ onLoad }) {
    onLoad({ filter: /@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, () => ({
      contents: `export class DefaultJsonSchemaValidator {} export { default as process } from 'node:process';`,
    }));
  },
};
