import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LibraryName } from './native-sources.ts';

/** Libraries in the builder's bundle. The engine is the one of the function that it contains. */
const PATHS: Record<LibraryName, string> = {
  engine: './function/native/engine.node',
  hnswlib: './native/hnswlib.node',
};

/** Loads a native library of the builder's bundle. package.json's `imports` select this module there. */
export function loadNative<Library>(name: LibraryName): Library {
  return createRequire(import.meta.url)(PATHS[name]);
}

/** The SHA-256 of the file that `loadNative` loads. */
export function nativeDigest(name: LibraryName): string {
  return createHash('sha256')
    .update(readFileSync(new URL(PATHS[name], import.meta.url)))
    .digest('hex');
}
