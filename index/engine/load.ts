import { createRequire } from 'node:module';
import { compileEngine } from './compile-engine.ts';
import type { EngineLibrary } from './library.ts';

/** The native library for this machine. The first call compiles it. */
export async function loadLibrary(): Promise<EngineLibrary> {
  return createRequire(import.meta.url)(await compileEngine());
}
