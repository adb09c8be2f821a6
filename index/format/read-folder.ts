import { type BigIntStats, closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hasDrafts, locateFolder } from './drafts.ts';

/** Attempts to read a folder between two replacements, and milliseconds between them. */
const ATTEMPTS = 100;
const PAUSE = 10;

/**
 * Reads an index folder that other processes may replace at any time. Reads it again if that happened meanwhile, so that everything
 * that was read comes from one index.
 * @param target the folder; if a build was killed while it replaced the folder, the old one is read
 * @param read opens or copies the files; may run several times
 * @param discard frees what `read` returned from files of two indexes
 * @returns what `read` returned from one index
 * @throws what `read` throws although nobody replaced the folder
 */
export async function readFolder<Result>(
  target: string,
  read: (folder: string) => Result | Promise<Result>,
  discard: (result: Result) => void = () => {},
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const folder = locateFolder(target);
    const witness = openManifest(folder);
    // Without a manifest, there is no index, or it is being replaced.
    const wasReplaced = () =>
      locateFolder(target) !== folder ||
      !isManifest(folder, witness) ||
      (witness === undefined && hasDrafts(target));
    try {
      const result = await read(folder);
      if (!wasReplaced()) return result;
      discard(result);
      if (attempt === ATTEMPTS)
        throw new Error(`${target} was replaced again and again while it was read. Run this command again.`);
    } catch (error) {
      if (attempt === ATTEMPTS || !wasReplaced()) throw error;
    } finally {
      if (witness !== undefined) closeSync(witness);
    }
    await wait(PAUSE);
  }
}

/** Opens the manifest of a folder. While it is open, no other file gets its number. Undefined if it cannot be opened. */
function openManifest(folder: string): number | undefined {
  try {
    return openSync(join(folder, 'manifest.json'), 'r');
  } catch {
    return undefined;
  }
}

/** Whether the manifest of a folder is still the open file, or still cannot be opened. */
function isManifest(folder: string, witness: number | undefined): boolean {
  const found = statOf(join(folder, 'manifest.json'));
  if (witness === undefined || found === undefined) return witness === undefined && found === undefined;
  const { dev, ino } = fstatSync(witness, { bigint: true });
  return found.dev === dev && found.ino === ino;
}

/** What a path is; undefined if there is nothing. */
export function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    // It does not exist, or its folder is a file.
    return undefined;
  }
}
