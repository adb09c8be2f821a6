import { createRequire } from 'node:module';
import type { Architecture } from './architecture.ts';
import { libraryPath } from './compile-engine.ts';
import { isIntact } from './library-digest.ts';
import { type LibraryName, prebuiltLibrary } from './native-sources.ts';

/** How a native library came to be: `prebuilt` in the npm package, or `compiled` on this machine. */
export type LibraryOrigin = 'prebuilt' | 'compiled';

/**
 * Finds out which library would be used, as `loadNative` and `compileForLambda` choose it. Compiles nothing.
 * @param architecture of Lambda; by default, this machine
 * @returns undefined if it is not compiled yet, or damaged
 * @throws {Error} if the package's is damaged
 */
export function libraryOrigin(name: LibraryName, architecture?: Architecture): LibraryOrigin | undefined {
  const prebuilt = prebuiltLibrary(name, architecture);
  // A library for Lambda may not load here.
  if (prebuilt && (architecture || loads(prebuilt))) return 'prebuilt';
  return isIntact(libraryPath(architecture, name)) ? 'compiled' : undefined;
}

function loads(path: string): boolean {
  try {
    createRequire(import.meta.url)(path);
    return true;
  } catch {
    return false;
  }
}
