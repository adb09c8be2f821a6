import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { compileForLambda } from '../../index/engine/compile-engine.ts';
import {
  type Architecture,
  type LibraryName,
  stageSource,
  writeDigest,
} from '../../index/engine/native-sources.ts';

/** The folder of each library for Linux, as `prebuiltLibrary` looks for them. */
const TARGETS: Record<string, Architecture> = { 'linux-x64': 'x86_64', 'linux-arm64': 'arm64' };
const LIBRARIES: LibraryName[] = ['engine', 'hnswlib'];

/**
 * Compiles the native libraries for Linux into a folder, with their digests, and adds the sources that other systems compile.
 * @param all whether to compile for both processors, not only for this machine
 */
export async function compileLibraries(
  into: string,
  all: boolean,
  compile: typeof compileForLambda = compileForLambda,
): Promise<void> {
  for (const name of LIBRARIES) stageSource(join(into, name), name);
  for (const [target, architecture] of Object.entries(TARGETS)) {
    if (!all && target !== `${process.platform}-${process.arch}`) continue;
    for (const name of LIBRARIES) {
      const library = join(into, target, `${name}.node`);
      cpSync(await compile(name, architecture), library);
      writeDigest(library);
    }
  }
}
