import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareBlocks, openChecks } from '../format/checks.ts';
import type { EngineLibrary } from './library.ts';

let library: EngineLibrary | undefined;

/** The native library beside the packaged function. package.json's `imports` select this module in the function's bundle. */
export async function loadLibrary(): Promise<EngineLibrary> {
  library ??= loadChecked<EngineLibrary>(new URL('.', import.meta.url), 'native/engine.node');
  return library;
}

/**
 * Loads a native library of a packaged folder. A damaged one could end the process or compute something else, so its checksums are
 * compared before.
 * @param folder URL of the folder, whose `checks.bin` lists the library
 * @param name path of the library in the folder
 * @throws if the library is damaged
 */
export function loadChecked<Library>(folder: URL, name: string): Library {
  const dir = fileURLToPath(folder);
  const path = join(dir, name);
  openChecks(dir, compareBlocks)?.of(name).checkAll(readFileSync(path));
  return process.getBuiltinModule('node:module').createRequire(folder)(path);
}
