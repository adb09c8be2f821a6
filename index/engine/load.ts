import type { EngineLibrary } from './library.ts';
import { loadNative } from '#load-native';

/** The native library for this machine. The first call may compile it. */
export async function loadLibrary(): Promise<EngineLibrary> {
  return loadNative('engine');
}
