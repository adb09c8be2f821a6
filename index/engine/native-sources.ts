import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Processors of Lambda, by the names of CDK and AWS. */
export type Architecture = 'x86_64' | 'arm64';

/** The path of the file that has a library's SHA-256, as `sha256sum` writes it. */
export const digestPath = (library: string) => `${library}.sha256`;

export function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * Writes the SHA-256 of a library beside it.
 * @param name under which the library will be there
 */
export function writeDigest(library: string, name = basename(library)): void {
  writeFileSync(digestPath(library), `${digestOf(library)}  ${name}\n`);
}

/**
 * Checks a library of the npm package.
 * @throws if it is damaged
 */
export function requireIntact(library: string): void {
  if (!isIntact(library))
    throw new Error(
      `${library} is damaged: its SHA-256 is not the one in ${basename(digestPath(library))}. Install polyseek again.`,
    );
}

/** Whether a library is there, with the SHA-256 that is written beside it. A damaged one may end the process that loads it. */
export function isIntact(library: string): boolean {
  const digest = digestPath(library);
  if (!existsSync(library) || !existsSync(digest)) return false;
  return readFileSync(digest, 'utf8').startsWith(`${digestOf(library)}  `);
}

/** A native library: our engine, or the addon of hnswlib-node. */
export type LibraryName = 'engine' | 'hnswlib';

/** The folder of compiled libraries and their sources in the npm package. A clone has none. */
const PREBUILT = fileURLToPath(new URL('../../prebuilt', import.meta.url));

/**
 * The compiler's arguments, for a folder that `stageSource` filled. Without contraction, all processors return the same bits.
 * hnswlib receives whole numbers, whose sums are exact in any order.
 */
export const COMPILER_ARGUMENTS: Record<LibraryName, string[]> = {
  engine: [
    ...['-shared', '-fPIC', '-O3', '-std=gnu++17', '-ffp-contract=off', '-fno-math-errno'],
    ...['-fvisibility=hidden', '-Wno-psabi', '-DNODE_GYP_MODULE_NAME=engine'],
    ...['-I', 'node', '-o', 'engine.node', 'engine.cc'],
  ],
  hnswlib: [
    ...['-shared', '-fPIC', '-O3', '-std=gnu++17', '-ffp-contract=off', '-pthread'],
    ...['-fvisibility=hidden', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=hnswlib'],
    ...['-I', 'node', '-o', 'hnswlib.node', 'addon.cc'],
  ],
};

const packageFolder = (name: string) =>
  dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

/** The folder of a library's own C++ source. */
function sourceFolder(name: LibraryName): string {
  const packaged = join(PREBUILT, name);
  if (existsSync(packaged)) return packaged;
  return name === 'engine'
    ? fileURLToPath(new URL('./native', import.meta.url))
    : join(packageFolder('hnswlib-node'), 'src');
}

/** The text of a library's own C++ source. */
export function readSource(name: LibraryName): string[] {
  const folder = sourceFolder(name);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.sort().map((path) => readFileSync(path, 'utf8'));
}

/** Copies a library's source, and the headers that it includes, into one folder, which a container can mount. */
export function stageSource(folder: string, name: LibraryName = 'engine'): void {
  cpSync(sourceFolder(name), folder, { recursive: true });
  const headers = join(folder, 'node');
  // The package's source is staged already.
  if (existsSync(headers)) return;
  cpSync(join(packageFolder('node-api-headers'), 'include'), headers, { recursive: true });
  if (name === 'hnswlib')
    for (const file of ['napi.h', 'napi-inl.h', 'napi-inl.deprecated.h'])
      cpSync(join(packageFolder('node-addon-api'), file), join(headers, file));
}

/**
 * The path of a library that the npm package contains, compiled for Linux with glibc.
 * @param architecture by default, this machine's
 * @returns undefined in a clone, and for other systems
 * @throws {Error} if it is damaged
 */
export function prebuiltLibrary(name: LibraryName, architecture?: Architecture): string | undefined {
  const target = architecture
    ? `linux-${{ x86_64: 'x64', arm64: 'arm64' }[architecture]}`
    : `${process.platform}-${process.arch}`;
  const path = join(PREBUILT, target, `${name}.node`);
  if (!existsSync(path)) return undefined;
  requireIntact(path);
  return path;
}
