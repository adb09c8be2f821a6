import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashSources, SOURCE_FOLDERS } from '../../index/ingest/cache/code-hash.ts';
import { type BundleSettings, bundle } from './bundle.ts';
import { type FunctionCode, packageFolders, readPackageLicence } from './notices.ts';

/** The handler, and the modules that `forkModule` runs. They get the names of their sources. */
const ENTRIES = {
  builder: '../builder/builder.ts',
  'reading-child': '../../index/ingest/reading/reading-child.ts',
  worker: '../../index/embedding/worker.ts',
  'graph-process': '../../index/graph/graph-process.ts',
};

/** A file of each package that is not bundled, because its files are copied or compiled. */
const COPIED = ['pdfjs-dist', 'hnswlib-node', 'node-addon-api', 'node-api-headers'].map(
  (name) => `${name}/package.json`,
);

/** Writes a builder's code into a folder: bundled from the sources of this clone. */
export async function writeBuilderCode(out: string): Promise<FunctionCode> {
  const entries = Object.entries(ENTRIES).map(([name, path]) => [
    name,
    fileURLToPath(new URL(path, import.meta.url)),
  ]);
  const { modules, comments } = await bundle(Object.fromEntries(entries), out, settings());
  const { resolve } = createRequire(import.meta.url);
  const copied = COPIED.map((file) => dirname(resolve(file)));
  const components = [...packageFolders(modules), ...copied].map(readPackageLicence);
  return { modules, components, engine: [], comments };
}

function settings(): BundleSettings {
  const hashes = SOURCE_FOLDERS.map((folder) => [folder, hashSources(folder)]);
  return {
    condition: 'polyseek-builder',
    constants: { POLYSEEK_SOURCE_HASHES: JSON.stringify(Object.fromEntries(hashes)) },
    // The package's own package.json says where pdf.js is. Only a model that no builder has runs in ONNX Runtime.
    external: ['#pdfjs/*', 'onnxruntime-node'],
  };
}
