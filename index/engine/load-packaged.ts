import type { EngineLibrary } from './library.ts';

/** The native library beside the packaged function. package.json's `imports` select this module in the function's bundle. */
export async function loadLibrary(): Promise<EngineLibrary> {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(import.meta.url)('./native/engine.node');
}
