import { createRequire } from 'node:module';
import { compileLibrary } from './compile-engine.ts';
import { digestOf } from './library-digest.ts';
import { type LibraryName, prebuiltLibrary } from './native-sources.ts';

/**
 * Loads a native library for this machine: from the npm package if its C library suits, compiled otherwise.
 * @throws {Error} if the package's is damaged, or it must be compiled, and this machine's compiler is missing or fails
 */
export function loadNative<Library>(name: LibraryName): Library {
  return load<Library>(name).library;
}

/** The SHA-256 of the file that `loadNative` loads. Throws as it does. */
export function nativeDigest(name: LibraryName): string {
  return digestOf(load(name).path);
}

function load<Library>(name: LibraryName): { path: string; library: Library } {
  const require = createRequire(import.meta.url);
  const prebuilt = prebuiltLibrary(name);
  if (prebuilt) {
    try {
      return { path: prebuilt, library: require(prebuilt) };
    } catch {
      // The system has an older C library, or another one, as Alpine does.
    }
  }
  const path = compileLibrary(name);
  return { path, library: require(path) };
}
