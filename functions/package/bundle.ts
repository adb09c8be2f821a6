import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { version } from '../search/version.ts';
import { ROOT } from './notices.ts';

/** The result of `bundle`. */
export interface Bundled {
  /** Paths of the bundled modules, from the repository. */
  modules: string[];
  /** Licence comments of the bundled modules. */
  comments: string[];
}

/** Settings of a bundle. */
export interface BundleSettings {
  /** Selects modules from the `imports` of package.json. */
  condition: string;
  /** Global constants, as JSON. */
  constants: Record<string, string>;
  plugins?: Plugin[];
  /** Modules that stay imports. */
  external?: string[];
}

/** The search function starts cold while someone waits, so its plugins make it load less. */
const FUNCTION: BundleSettings = {
  condition: 'polyseek-function',
  constants: { POLYSEEK_FUNCTION: 'true' },
  get plugins() {
    return [currentIndex, onnxRuntimeBinding, withoutValidator, builtins];
  },
};

/**
 * Bundles modules for Node. The bundle expects its native libraries in `native/` beside it.
 * @param entries path of each module by the name of its bundle, without `.mjs`
 * @param settings those of the search function by default
 */
export async function bundle(
  entries: Record<string, string>,
  out: string,
  { condition, constants, plugins, external = [] }: BundleSettings = FUNCTION,
): Promise<Bundled> {
  const { metafile } = await build({
    entryPoints: entries,
    // The names of chunks depend on paths.
    absWorkingDir: ROOT,
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // Rarely used code (the OpenAPI document, the page, MCP) gets files of its own, in the same folder so that `./native` resolves in all of them.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    // Written to files of their own, which become part of the notices.
    legalComments: 'external',
    // CommonJS packages in the bundle call `require`, which ES modules lack.
    banner: {
      js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
    },
    conditions: [condition],
    define: { POLYSEEK_VERSION: JSON.stringify(version), ...constants },
    plugins,
    external: ['./native/*', ...external],
    logLevel: 'error',
    metafile: true,
  });
  const modules = Object.keys(metafile.inputs).filter((path) => !path.startsWith(`${BUILTIN}:`));
  return { modules, comments: takeComments(out) };
}

/** Reads and removes the files of licence comments that esbuild wrote. */
function takeComments(out: string): string[] {
  const files = readdirSync(out).filter((name) => name.endsWith('.LEGAL.txt'));
  return files.map((name) => {
    const text = readFileSync(join(out, name), 'utf8');
    rmSync(join(out, name));
    return text.replace(/^Bundled license information:\n/, '');
  });
}

/**
 * The code for S3 Vectors is a bundle of its own, which other functions do not contain. Chunks that it shared with them would be more files
 * to read at each cold start.
 */
const currentIndex: Plugin = {
  name: 'current-index',
  setup({ onResolve }) {
    onResolve({ filter: /\/current-index\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './current-index.mjs', external: true } : undefined,
    );
  },
};

/** ONNX Runtime looks for its library in its own package, but the function has it in `native/`. */
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
 * Loads Node's modules without `import`, which reads every export and so makes Node load their dependencies at each cold start, such as
 * streams for `node:fs`.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    const isBuiltin = /^(node:)?(fs|path|url)$/;
    // Dynamic imports stay imports.
    onResolve({ filter: isBuiltin }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : { path, namespace: BUILTIN },
    );
    onLoad({ filter: /.*/, namespace: BUILTIN }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
    // This project's own imports become constants: for others, esbuild copies all exports of a module.
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        /^import \{([^}]*)\} from '(node:(?:fs|path|url))';$/gm,
        (_, names: string, module: string) =>
          `const {${names.replace(/\btype \w+,?/g, '')}} = process.getBuiltinModule('${module}');`,
      ),
      loader: 'ts',
    }));
  },
};

/** MCP's SDK contains a JSON Schema validator for forms, which this server never uses: a third of the SDK's code. */
const withoutValidator: Plugin = {
  name: 'without-validator',
  setup({ onLoad }) {
    onLoad({ filter: /@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, () => ({
      contents: `export class DefaultJsonSchemaValidator {} export { default as process } from 'node:process';`,
    }));
  },
};
