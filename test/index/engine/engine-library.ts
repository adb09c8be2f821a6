import { createRequire } from 'node:module';
import { loadLibrary } from '../../../index/engine/load.ts';

/** The engine under test. The sanitizer test repeats these tests with its own build, whose path is in ENGINE_LIBRARY. */
const build = process.env.ENGINE_LIBRARY;
export const library: Awaited<ReturnType<typeof loadLibrary>> = build
  ? createRequire(import.meta.url)(build)
  : await loadLibrary();
