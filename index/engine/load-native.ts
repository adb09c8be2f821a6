import { createRequire } from 'node:module';
import { compileLibrary } from './compile-engine.ts';
import { type LibraryName, prebuiltLibrary } from './native-sources.ts';

/**
 * Loads a native library for this machine: from the npm package if its C library suits, compiled otherwise.
 * @throws {Error} if it must be compiled, and this machine's compiler is missing or fails
 */
export function loadNative<Library>(name: LibraryName): Library {
  const require = createRequire(import.meta.url);
  const prebuilt = prebuiltLibrary(name);
  if (prebuilt) {
    try {
      return require(prebuilt);
    } catch {
      // The system has an older C library, or another one, as Alpine does.
    }
  }
  return require(compileLibrary(name));
}
