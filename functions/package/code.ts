import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { hashSources, SOURCE_FOLDERS } from '../../index/ingest/cache/code-hash.ts';
import { version } from '../search/version.ts';
import { loadPage, loadWidget } from '../web/assets.ts';
import {
  type FunctionCode,
  packageFolders,
  ROOT,
  readPackageLicence,
  type StoreName,
} from './licence-notices.ts';

const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const HANDLER = beside('../search/lambda.ts');
/** Loaded by the handler for an index in S3 Vectors. */
const CURRENT_INDEX = beside('../search/current-index.ts');

const folderOf = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

/** Bundles the code of a function, whose index will be in `store`, and the files that it serves to browsers, into a folder. */
export async function writeFunctionCode(out: string, store: StoreName): Promise<FunctionCode> {
  const bundles = [await bundle({ lambda: HANDLER }, out)];
  if (store === 's3vectors') bundles.push(await bundle({ 'current-index': CURRENT_INDEX }, out));
  const modules = [...new Set(bundles.flatMap((one) => one.modules))];
  writeFileSync(join(out, 'page.json'), JSON.stringify(await loadPage()));
  writeFileSync(join(out, 'widget.js'), await loadWidget());
  return {
    modules,
    components: packageFolders(modules).map(readPackageLicence),
    engine: [readPackageLicence(folderOf('node-api-headers'))],
    comments: bundles.flatMap((one) => one.comments),
  };
}

/** The builder's handler, and the modules that `forkModule` runs. They get the names of their sources. */
const BUILDER_ENTRIES = {
  builder: beside('../builder/builder.ts'),
  'reading-child': beside('../../index/ingest/reading/reading-child.ts'),
  worker: beside('../../index/embedding/worker.ts'),
  'graph-process': beside('../../index/graph/graph-process.ts'),
};

/** Packages that are not bundled, because their files are copied or compiled. */
const COPIED = ['pdfjs-dist', 'hnswlib-node', 'node-addon-api', 'node-api-headers'];

/** Writes a builder's code into a folder: bundled from the sources of this clone. */
export async function writeBuilderCode(out: string): Promise<FunctionCode> {
  const hashes = SOURCE_FOLDERS.map((folder) => [folder, hashSources(folder)]);
  const { modules, comments } = await bundle(BUILDER_ENTRIES, out, {
    condition: 'polyseek-builder',
    constants: { POLYSEEK_SOURCE_HASHES: JSON.stringify(Object.fromEntries(hashes)) },
    // The package's own package.json says where pdf.js is. Only a model that no builder has runs in ONNX Runtime.
    external: ['#pdfjs/*', 'onnxruntime-node'],
  });
  const components = [...packageFolders(modules), ...COPIED.map(folderOf)].map(readPackageLicence);
  return { modules, components, engine: [], comments };
}

export interface BundleSettings {
  /** Selects modules from the `imports` of package.json. */
  condition: string;
  constants: Record<string, string>;
  plugins?: Plugin[];
  /** Modules that stay imports. */
  external?: string[];
}

/**
 * Bundles modules for Node. The bundle expects its native libraries in `native/` beside it.
 * @param entries path of each module by the name of its bundle, without `.mjs`
 * @returns the paths of the bundled modules, from the repository, and their licence comments
 */
export async function bundle(
  entries: Record<string, string>,
  out: string,
  { condition, constants, plugins, external = [] }: BundleSettings = FUNCTION,
): Promise<Pick<FunctionCode, 'modules' | 'comments'>> {
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

/** The search function starts cold while someone waits, so its plugins make it load less. */
const FUNCTION: BundleSettings = {
  condition: 'polyseek-function',
  constants: { POLYSEEK_FUNCTION: 'true' },
  plugins: [currentIndex, onnxRuntimeBinding, withoutValidator, builtins],
};
