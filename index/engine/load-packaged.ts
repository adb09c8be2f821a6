import type { EngineLibrary } from './library.ts';
import { loadChecked } from './load-checked.ts';

let library: EngineLibrary | undefined;

/** The native library beside the packaged function. package.json's `imports` select this module in the function's bundle. */
export async function loadLibrary(): Promise<EngineLibrary> {
  library ??= loadChecked<EngineLibrary>(new URL('.', import.meta.url), 'native/engine.node');
  return library;
}
