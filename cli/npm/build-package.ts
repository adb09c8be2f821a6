import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { writeBuilderCode, writeFunctionCode } from '../../functions/package/code.ts';
import {
  type Component,
  type FunctionCode,
  formatNotices,
  type LockEntry,
  readLock,
  readModelLicence,
} from '../../functions/package/licence-notices.ts';
import { copyPdfJs } from '../../functions/package/package-builder.ts';
import { makeReadable } from '../../functions/package/package-function.ts';
import { componentId, writeSbom } from '../../functions/package/sbom.ts';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { main } from '../kit/command.ts';
import { compile, packageClient, root } from './build-client.ts';
import { compileLibraries } from './compile-libraries.ts';

// Fills dist/, the content of the npm package. `npm pack` and `npm publish` run this first.

const dist = join(root, 'dist');
const SOURCES = ['cli', 'functions', 'index', 'infra'];
/** Folders that are replaced by something built from them, or are another package. */
const REPLACED = /^(cli\/npm|functions\/(python|web)|index\/(engine|model))(\/|$)/;
/** Files that explain sources, or are compiled. */
const EXPLAINS = new Set(['.ts', '.md', '.wat']);
/** Files that a function serves to browsers. The local server of the package reads them beside `assets-packaged.ts`. */
const SERVED = ['page.json', 'widget.js'];

const manifest: {
  name: string;
  version: string;
  imports: Record<string, Record<string, string>>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

await main(async () => {
  rmSync(dist, { recursive: true, force: true });
  // To JavaScript, declarations and source maps, in the same folders.
  compile(join(root, 'cli/npm'));
  copyResources();
  writeManifest();
  await packageClient(join(dist, 'client'));
  copyModel();
  copyPdfJs(join(dist, 'pdfjs'));
  const codes = [await buildFunction(), await buildBuilder()];
  await compileLibraries(join(dist, 'prebuilt'), process.env.ALL_ARCHITECTURES === '1');
  writeNotices(codes);
  // npm packs the modes of files, which depend on the umask.
  makeReadable(dist);
  for (const name of ['package.json', 'README.md', 'LICENSE']) chmodSync(join(root, name), 0o644);
});

function copyResources(): void {
  for (const folder of SOURCES) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      if (EXPLAINS.has(extname(path)) || extname(path) === '' || REPLACED.test(path)) continue;
      cpSync(join(root, path), join(dist, path));
    }
  }
  cpSync(join(root, 'docs/polyseek.schema.json'), join(dist, 'docs/polyseek.schema.json'));
}

/** The manifest for modules in dist/: it decides what their `#` imports are. */
function writeManifest(): void {
  const { name, version, dependencies, devDependencies, peerDependencies } = manifest;
  const imports = Object.entries(manifest.imports).map(([from, { 'polyseek-package': packaged, ...to }]) => [
    from,
    (packaged ?? to.default)!.replace(/\.ts$/, '.js'),
  ]);
  const needed = { dependencies, devDependencies, peerDependencies };
  const own = { name, version, type: 'module', imports: Object.fromEntries(imports), ...needed };
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
}

/** Copies the compiled default model, and what its licence requires. */
function copyModel(): void {
  const compiled = compileModel(DEFAULT_MODEL);
  const to = join(dist, 'index/model');
  mkdirSync(to, { recursive: true });
  for (const name of ['model.json', ...Object.keys(readCompiledModel(compiled, false).files)])
    cpSync(join(compiled, name), join(to, name));
  for (const name of ['LICENSE', 'README.md']) cpSync(join(DEFAULT_MODEL, name), join(to, name));
}

async function buildFunction(): Promise<FunctionCode> {
  const out = join(dist, 'function');
  mkdirSync(out);
  // The second contains the files of the first.
  const bundle = await writeFunctionCode(out, 'bundle');
  const s3vectors = await writeFunctionCode(out, 's3vectors');
  writeFileSync(join(dist, 'function.json'), JSON.stringify({ bundle, s3vectors }));
  for (const name of SERVED) cpSync(join(out, name), join(dist, 'functions/web', name));
  return s3vectors;
}

async function buildBuilder(): Promise<FunctionCode> {
  const out = join(dist, 'builder');
  mkdirSync(out);
  const code = await writeBuilderCode(out);
  writeFileSync(join(dist, 'builder.json'), JSON.stringify(code));
  return code;
}

/** Writes the licences of the third-party work in the package, and a bill of materials, which also lists what npm installs with it. */
function writeNotices(codes: FunctionCode[]): void {
  const { name } = readCompiledModel(join(dist, 'index/model'), false);
  const parts = codes.flatMap(({ components, engine }) => [...components, ...engine]);
  const all = [...parts, readModelLicence(name, DEFAULT_MODEL)];
  const unique = [...new Map(all.map((component) => [componentId(component), component])).values()];
  const comments = codes.flatMap((code) => code.comments);
  writeFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), formatNotices('This package', unique, comments));
  const { packages, direct, needs } = installedPackages();
  writeSbom(dist, {
    name: manifest.name,
    components: [...unique, ...packages],
    direct: [...unique.map(componentId), ...direct],
    needs,
    hashed: ['index/model', 'prebuilt'],
  });
}

/**
 * The packages that npm installs with this one, in the versions of package-lock.json: all, the ids of those that this one needs, and
 * the ids of those that each of them needs. Licence texts are in the packages themselves.
 */
function installedPackages() {
  const lock = readLock();
  const packages = new Map<string, Component>();
  const needs = new Map<string, string[]>();
  const visit = (entry: LockEntry, folder: string): string[] =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).map((name) => {
      const path = locate(lock, name, folder);
      const found = lock[path]!;
      const { version, license = 'see the text', integrity } = found;
      const component: Component = { type: 'library', name, version, licence: license, text: '', integrity };
      const id = componentId(component);
      if (!packages.has(id)) {
        packages.set(id, component);
        needs.set(id, []);
        needs.set(id, visit(found, `${path}/`));
      }
      return id;
    });
  const direct = visit(lock['']!, '');
  return { packages: [...packages.values()], direct, needs };
}

/** The folder of the package that a package gets for a name: in the innermost `node_modules` around it that has one. */
function locate(lock: Record<string, LockEntry>, name: string, folder: string): string {
  const path = `${folder}node_modules/${name}`;
  if (path in lock) return path;
  if (folder === '') throw new Error(`package-lock.json has no ${name}. Run npm install.`);
  return locate(lock, name, folder.slice(0, folder.lastIndexOf('node_modules/')));
}
