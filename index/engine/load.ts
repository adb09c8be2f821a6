import { loadNative } from '#load-native';
import type { EngineLibrary } from './library.ts';

/** The native library for this machine. The first call may compile it. */
export async function loadLibrary(): Promise<EngineLibrary> {
  return loadNative('engine');
}
