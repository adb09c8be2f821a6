import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EngineLibrary } from './library.ts';
import { loadChecked } from './load-packaged.ts';
import type { LibraryName } from './native-sources.ts';

/** Folders in the builder's bundle, and libraries in them. The engine is the one of the function that it contains. */
const PLACES: Record<LibraryName, [folder: string, library: string]> = {
  engine: ['./function/', 'native/engine.node'],
  hnswlib: ['./', 'native/hnswlib.node'],
};

export async function loadLibrary(): Promise<EngineLibrary> {
  return loadNative('engine');
}

/**
 * Loads a native library of the builder's bundle. package.json's `imports` select this module there.
 * @throws if it is damaged
 */
export function loadNative<Library>(name: LibraryName): Library {
  const [folder, library] = PLACES[name];
  return loadChecked(new URL(folder, import.meta.url), library);
}

/** The SHA-256 of the file that `loadNative` loads. */
export function nativeDigest(name: LibraryName): string {
  return createHash('sha256')
    .update(readFileSync(new URL(PLACES[name].join(''), import.meta.url)))
    .digest('hex');
}
