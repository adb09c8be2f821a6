import { existsSync, mkdtempSync, readdirSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Files with this prefix are no part of a folder's content: tries to write, which a killed process may have left, and marks of 0.1.0. */
const OWN = '.polyseek-';

export const isOwn = (name: string): boolean => name.startsWith(OWN);

/** Reasons why a folder cannot be written, with the fix. */
const FIXES: Record<string, string> = {
  EACCES: 'permission denied. Choose a folder that you can write to.',
  EPERM: 'permission denied. Choose a folder that you can write to.',
  EROFS: 'the file system is read-only. Choose a folder that you can write to.',
  ENOSPC: 'no space left on the disk. Free some space and try again.',
  EDQUOT: 'the disk quota is used up. Free some space and try again.',
};

/**
 * Refuses to replace files that the command did not create, because a mistyped path must not delete a user's files. Also checks
 * write access, before any expensive work.
 * @param isPart whether the command creates an entry with this name in the folder
 * @throws if `target` is a file, contains anything else, or cannot be written
 */
export function checkReplaceable(target: string, isPart: (name: string) => boolean, kind: string): void {
  let parent = dirname(resolve(target));
  while (!existsSync(parent)) parent = dirname(parent);
  if (!statSync(parent).isDirectory())
    throw new Error(`${parent} is a file. Choose a folder in another place.`);
  const found = statSync(target, { throwIfNoEntry: false });
  if (found && !found.isDirectory())
    throw new Error(`${target} is a file. Choose a new folder, or ${kind} to replace.`);
  const foreign = namesIn(target).find((name) => !isOwn(name) && !isPart(name));
  if (foreign !== undefined)
    throw new Error(
      `${target} contains ${foreign}, which is not part of ${kind}. Choose a new folder, or ${kind} to replace.`,
    );
  // The target is renamed in its parent, and then removed.
  for (const folder of found ? [parent, target] : [parent]) {
    try {
      rmdirSync(mkdtempSync(join(folder, OWN)));
    } catch (error) {
      // Another process is replacing the target.
      if (codeOf(error) !== 'ENOENT' || folder === parent) throw unwritable(folder, error);
    }
  }
}

/**
 * Checks that a file system has room for a folder's files.
 * @param bytes a lower bound of the size of the output
 * @throws a sentence that names the folder, the free space and the need
 */
export function checkFreeSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const megabytes = (number: number) => `${(number / 1e6).toFixed(1)} MB`;
  if (bavail * bsize < bytes)
    throw new Error(
      `${dirname(folder)}: ${megabytes(bavail * bsize)} free on the disk, but at least ${megabytes(bytes)} needed. Free some space, or choose another disk.`,
    );
}

/**
 * Turns the error of a full disk into a sentence.
 * @param folder the folder of the output. Errors of writes name no file, which may also be a temporary one.
 */
export function explainFull(folder: string, error: unknown): unknown {
  const { code = '', path, dest = path } = error as NodeJS.ErrnoException & { dest?: string };
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const where = dest?.startsWith(folder) ? folder : `${folder} or ${tmpdir()}`;
  return new Error(`${where}: ${FIXES[code]}`, { cause: error });
}

export function unwritable(folder: string, error: unknown): unknown {
  const code = codeOf(error);
  return FIXES[code] ? new Error(`${folder}: ${FIXES[code]}`, { cause: error }) : error;
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
