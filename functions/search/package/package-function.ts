import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Architecture } from '../../../index/engine/architecture.ts';
import { compileEngine } from '../../../index/engine/compile-engine.ts';
import { type Engine, readCompiledModel } from '../../../index/format/compiled-model.ts';
import {
  checkReplaceable,
  createDraft,
  DRAFT_MARKER,
  locateFolder,
  removeStaleDrafts,
  replaceFolder,
  withTemporaryFolder,
} from '../../../index/format/drafts.ts';
import { readManifest } from '../../../index/format/manifest.ts';
import { findModel } from '../../../index/local.ts';
import { assemblePage } from '../page/assemble-page.ts';
import { bundle } from './bundle.ts';

const HANDLER = fileURLToPath(new URL('../lambda.ts', import.meta.url));
/** Names of what is in a packaged function, those of esbuild's chunks included. */
const PARTS = /^(lambda\.mjs|[\w-]+-[0-9A-Z]{8}\.mjs|page\.json|native|model|index)$/;

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
  const source = locateFolder(index);
  const model = findModel(source);
  const compiled = readCompiledModel(model, false);
  readManifest(source, compiled, true);
  checkReplaceable(out, (name) => PARTS.test(name), 'a packaged function');
  removeStaleDrafts(out);
  const draft = createDraft(out);
  return withTemporaryFolder(draft, async () => {
    const modules = await bundle({ lambda: HANDLER }, draft);
    writeFileSync(join(draft, 'page.json'), JSON.stringify(await assemblePage()));
    await copyLibraries(join(draft, 'native'), compiled.engine, architecture);
    copyFolder(model, join(draft, 'model'));
    copyFolder(source, join(draft, 'index'));
    makeReadable(draft);
    replaceFolder(draft, out);
    return modules;
  });
}

/** Copies a folder without the marker that a killed process may have left in it. */
function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== DRAFT_MARKER });
}

/** Lets everyone read a folder, whatever the umask here: Lambda runs a function as another user. */
function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}

/**
 * Copies the native libraries of an engine into a new folder.
 * @param architecture of the Lambda function; without it, the libraries are for this machine
 * @throws if the native engine cannot be compiled for Lambda here, with the reason for each way tried
 */
export async function copyLibraries(out: string, engine: Engine, architecture?: Architecture): Promise<void> {
  mkdirSync(out);
  if (engine === 'packed') {
    cpSync(await compileEngine(architecture), join(out, 'engine.node'));
    return;
  }
  const platform = architecture ? 'linux' : process.platform;
  const processor = architecture ? { x86_64: 'x64', arm64: 'arm64' }[architecture] : process.arch;
  const onnxRuntime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const folder = join(onnxRuntime, 'bin/napi-v3', platform, processor);
  for (const name of readdirSync(folder)) cpSync(join(folder, name), join(out, name));
}
