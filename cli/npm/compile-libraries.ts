import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { compileForLambda } from '../../index/engine/compile-engine.ts';
import {
  type Architecture,
  type LibraryName,
  stageSource,
  writeDigest,
} from '../../index/engine/native-sources.ts';
import { messageOf } from '../../index/kit/errors.ts';

/** The folder of each library for Linux, as `prebuiltLibrary` looks for them. */
const TARGETS: Record<string, Architecture> = { 'linux-x64': 'x86_64', 'linux-arm64': 'arm64' };
const LIBRARIES: LibraryName[] = ['engine', 'hnswlib'];

/**
 * Compiles the native libraries for Linux into a folder, with their digests, and adds the sources that other systems compile.
 * Reports each processor for which this machine cannot compile. Throws if it is a Linux machine's own.
 */
export async function compileLibraries(
  into: string,
  report: (sentence: string) => void,
  compile: typeof compileForLambda = compileForLambda,
): Promise<void> {
  for (const name of LIBRARIES) stageSource(join(into, name), name);
  for (const [target, architecture] of Object.entries(TARGETS)) {
    try {
      const compiled: [LibraryName, string][] = [];
      for (const name of LIBRARIES) compiled.push([name, await compile(name, architecture)]);
      for (const [name, path] of compiled) {
        const library = join(into, target, `${name}.node`);
        cpSync(path, library);
        writeDigest(library);
      }
    } catch (error) {
      if (target === `${process.platform}-${process.arch}`) throw error;
      report(`The package leaves out the libraries for ${target}. ${messageOf(error)}`);
    }
  }
}
