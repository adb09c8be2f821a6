import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadLibrary } from '#engine-library';
import { compareBlocks, type FolderChecks, openChecks } from '../format/block-checks.ts';
import type { CompiledModel } from '../format/compiled-model.ts';

/**
 * How to verify the files of an index or a model when they are opened: true compares the checksums of whole files, false only their
 * sizes. `blocks` compares each block of a file when it is first read, if the folder has a `checks.bin`; otherwise it is like true.
 */
export type Verification = boolean | 'blocks';

/** Opens the `checks.bin` of a compiled model; undefined if there is none. */
export function openModelChecks(dir: string): Promise<FolderChecks | undefined> {
  return openFor(dir, existsSync(join(dir, 'encoder.bin')));
}

/** Opens the `checks.bin` of an index that a model searches; undefined if there is none. */
export function openIndexChecks(dir: string, { engine }: CompiledModel): Promise<FolderChecks | undefined> {
  return openFor(dir, engine === 'packed');
}

/** @param hasLibrary whether there is a native library for the comparison */
async function openFor(dir: string, hasLibrary: boolean): Promise<FolderChecks | undefined> {
  return openChecks(dir, hasLibrary ? (await loadLibrary()).compareBlocks : compareBlocks);
}
