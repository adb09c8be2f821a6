import { createRequire } from 'node:module';
import { engineLibrary } from '../package/libraries.ts';
import type { EngineLibrary } from './packed-encoder.ts';

/** The engine in `native/`, compiled for this machine at the first use. In the packaged function it lies beside the code: `package.ts` puts that here. */
export async function loadLibrary(): Promise<EngineLibrary> {
  return createRequire(import.meta.url)(await engineLibrary());
}
