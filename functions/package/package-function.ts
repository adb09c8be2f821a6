import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { writeFunctionCode } from '#lambda-code';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { compileEngine } from '../../index/engine/compile-engine.ts';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { writeChecks } from '../../index/format/checks.ts';
import { type CompiledModel, type Engine, readCompiledModel } from '../../index/format/compiled-model.ts';
import { readFolder, writeFolder } from '../../index/format/drafts.ts';
import { readManifest, restrictedIn, writeIndexChecks } from '../../index/format/manifest.ts';
import { checkReplaceable, isOwn } from '../../index/format/writable.ts';
import { findModel } from '../../index/ingest/open-local.ts';
import { collectionExpected, isCollectionName } from '../search/paths.ts';
import { type Component, formatNotices, readModelLicence, type StoreName } from './licence-notices.ts';
import { writeSbom } from './sbom.ts';

const NOTICES = 'THIRD_PARTY_NOTICES.txt';
/** Names in a packaged function, including esbuild's chunks. */
const PARTS =
  /^(lambda\.mjs|current-index\.mjs|[\w-]+-[0-9A-Z]{8}\.mjs|checks\.bin|page\.json|widget\.js|THIRD_PARTY_NOTICES\.txt|sbom\.cdx\.json|native|model|index|collections)$/;

interface PackageSettings {
  /** Of the Lambda function; default: this machine's. */
  architecture?: Architecture;
  /** Folders of further indexes by their names, which must have the model of the index. */
  collections?: Readonly<Record<string, string>>;
  /** Folder of the model, before it is compiled, of a function without an index. */
  model?: string;
  /** Where the function's index will be; default: beside the code if there is an index. */
  store?: StoreName;
}

/**
 * Builds a self-contained Lambda deployment folder: code, page, library, verified model and indexes, licences and a bill of materials.
 * @param index folder of the index; undefined for a function that reads its index from elsewhere, or gets one later
 * @param out replaced once the new folder is complete; must be a packaged function or not exist
 * @returns the modules in the bundle, as paths from the repository
 * @throws if a part is missing or damaged, cannot be compiled, has another model or no licence; `out` then stays unchanged
 */
export async function packageFunction(
  index: string | undefined,
  out: string,
  settings: PackageSettings = {},
): Promise<string[]> {
  const { architecture, collections = {}, model: modelFolder = DEFAULT_MODEL } = settings;
  const { store = index === undefined ? 's3vectors' : 'bundle' } = settings;
  const model = index === undefined ? compileModel(modelFolder) : await readFolder(index, findModel);
  const compiled = readCompiledModel(model, index === undefined);
  if (index !== undefined) await readFolder(index, (folder) => readManifest(folder, compiled, true));
  const further = Object.entries(collections);
  for (const [name, folder] of further)
    await readFolder(folder, (found) => checkCollection(name, folder, found, compiled));
  checkReplaceable(out, (name) => PARTS.test(name), 'a packaged function');
  return writeFolder(out, async (draft) => {
    const { modules, components, engine, comments } = await writeFunctionCode(draft, store);
    const all = [...components, ...(compiled.engine === 'packed' ? engine : []), licenceOf(compiled, model)];
    writeFileSync(join(draft, NOTICES), formatNotices('This function', all, comments));
    await copyLibraries(join(draft, 'native'), compiled.engine, architecture);
    copyModel(model, compiled, join(draft, 'model'));
    writeSbom(draft, { name: 'polyseek-function', components: all, hashed: ['model', 'native'] });
    const libraries = compiled.engine === 'packed' ? ['native/engine.node'] : [];
    writeChecks(draft, ['page.json', 'widget.js', ...libraries]);
    if (index !== undefined) await copyIndex(index, join(draft, 'index'), compiled);
    for (const [name, folder] of further) await copyIndex(folder, join(draft, 'collections', name), compiled);
    makeReadable(draft);
    return modules;
  });
}

/** Checks the collection in `folder`, whose index is in `found`. Throws if its name is wrong, or its index damaged or of another model. */
function checkCollection(name: string, folder: string, found: string, model: CompiledModel): void {
  if (!isCollectionName(name))
    throw new Error(`The collection ${JSON.stringify(name)} needs another name: ${collectionExpected}.`);
  const { model: built } = readManifest(found, undefined, false);
  if (built.hash !== model.hash)
    throw new Error(
      `The collection ${name} (${folder}) was built with the model ${built.name} (${built.hash.slice(0, 12)}), but the function has ${model.name} (${model.hash.slice(0, 12)}). ` +
        'All indexes of a function share one model. Build both with the same --model.',
    );
  readManifest(found, model, true);
}

/** Copies an index with checksums. Verifies the copy, as a build may have replaced the index meanwhile. */
async function copyIndex(folder: string, to: string, model: CompiledModel): Promise<void> {
  await readFolder(folder, (from) => {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, filter: (path) => !isOwn(basename(path)) });
    for (const one of [to, ...restrictedIn(to)]) readManifest(one, model, true);
  });
  writeIndexChecks(to);
}

/** Copies a compiled model, without the texts that accompany the npm package's, and adds its checksums. */
function copyModel(from: string, { files }: CompiledModel, to: string): void {
  mkdirSync(to);
  const names = ['model.json', ...Object.keys(files)];
  for (const name of names) cpSync(join(from, name), join(to, name));
  writeChecks(to, names);
}

function licenceOf({ name }: CompiledModel, model: string): Component {
  const isDefault = resolve(model) === resolve(compileModel(DEFAULT_MODEL));
  return readModelLicence(name, isDefault ? DEFAULT_MODEL : undefined);
}

/** Makes a folder readable for everyone, regardless of the umask: Lambda runs the function as another user. */
export function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}

/** Copies the libraries of an engine for Lambda's processor, or else for this machine, into a new folder. */
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
