import { build, type Plugin } from 'esbuild';
import { version } from '../version.ts';

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
    // Selects what package.json's `imports` list for the function: its native library and its page.
    conditions: ['polyseek-function'],
    define: { POLYSEEK_VERSION: JSON.stringify(version) },
    plugins: [onnxRuntimeBinding, withoutValidator, builtins],
    external: ['./native/*'],
    logLevel: 'error',
    metafile: true,
  });
  return Object.keys(metafile.inputs).filter((path) => !path.startsWith(`${BUILTIN}:`));
}

/** ONNX Runtime looks for its library in its own package. In the function it is in `native/`. */
const onnxRuntimeBinding: Plugin = {
  name: 'onnxruntime-binding',
  setup({ onLoad }) {
    onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, () => ({
      contents: `exports.binding = require('./native/onnxruntime_binding.node')`,
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

/** MCP's SDK brings a validator of JSON Schema for what users are asked to fill in, which this server never asks for: a third of its code. */
const withoutValidator: Plugin = {
  name: 'without-validator',
  setup({ onLoad }) {
    onLoad({ filter: /@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, () => ({
      contents: `export class DefaultJsonSchemaValidator {} export { default as process } from 'node:process';`,
    }));
  },
};
