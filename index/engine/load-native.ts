import { createRequire } from 'node:module';
import { compileLibrary, libraryPath } from './compile-engine.ts';
import type { EngineLibrary } from './library.ts';
import {
  type Architecture,
  digestOf,
  isIntact,
  type LibraryName,
  prebuiltLibrary,
} from './native-sources.ts';

/** How a native library came to be: `prebuilt` in the npm package, or `compiled` on this machine. */
export type LibraryOrigin = 'prebuilt' | 'compiled';

/** The engine for this machine. The first call may compile it. */
export async function loadLibrary(): Promise<EngineLibrary> {
  return loadNative('engine');
}

/**
 * Loads a native library for this machine: from the npm package if its C library suits, compiled otherwise.
 * @throws {Error} if the package's is damaged, or it must be compiled, and this machine's compiler is missing or fails
 */
export function loadNative<Library>(name: LibraryName): Library {
  return load(name).library as Library;
}

/** The SHA-256 of the file that `loadNative` loads. Throws as it does. */
export function nativeDigest(name: LibraryName): string {
  return digestOf(load(name).path);
}

/**
 * Finds out which library would be used, as `loadNative` and `compileForLambda` choose it. Compiles nothing.
 * @param architecture of Lambda; by default, this machine
 * @returns undefined if it is not compiled yet, or damaged
 * @throws {Error} if the package's is damaged
 */
export function libraryOrigin(name: LibraryName, architecture?: Architecture): LibraryOrigin | undefined {
  const prebuilt = prebuiltLibrary(name, architecture);
  // A library for Lambda may not load here.
  if (prebuilt && (architecture || tryRequire(prebuilt))) return 'prebuilt';
  return isIntact(libraryPath(architecture, name)) ? 'compiled' : undefined;
}

function load(name: LibraryName): { path: string; library: unknown } {
  const prebuilt = prebuiltLibrary(name);
  const library = prebuilt && tryRequire(prebuilt);
  if (library) return { path: prebuilt, library };
  const path = compileLibrary(name);
  return { path, library: require(path) };
}

const require = createRequire(import.meta.url);

/** A library of the npm package; undefined if the system has an older C library, or another one, as Alpine does. */
function tryRequire(path: string): unknown {
  try {
    return require(path);
  } catch {
    return undefined;
  }
}
