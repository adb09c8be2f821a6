import { createRequire } from 'node:module';
import { loadLibrary } from '../../../index/engine/load-native.ts';

/** The engine under test. The sanitizer test sets ENGINE_LIBRARY to the path of its own build. */
const build = process.env.ENGINE_LIBRARY;
export const library: Awaited<ReturnType<typeof loadLibrary>> = build
  ? createRequire(import.meta.url)(build)
  : await loadLibrary();
