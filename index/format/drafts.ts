import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * Refuses to replace what a command did not make: a mistyped `--out` must not cost anyone their files.
 * @param made whether the command puts an entry of such a name into the folder
 * @param what such a folder, for the message
 * @throws if `out` is a file, or a folder that holds anything else
 */
export function checkReplaceable(out: string, made: (name: string) => boolean, what: string): void {
  const found = statSync(out, { throwIfNoEntry: false });
  if (!found) return;
  const strange = found.isDirectory() ? readdirSync(out).find((name) => !made(name)) : undefined;
  if (found.isDirectory() && strange === undefined) return;
  const problem = strange === undefined ? 'is not a folder' : `holds ${strange}, which is no part of ${what}`;
  throw new Error(`${out} ${problem}: name a folder that does not exist yet, or ${what} to replace.`);
}

/** Does something with a folder that is removed afterwards, also where the process exits meanwhile, as at an interrupt. */
export async function withTemporaryFolder<Made>(folder: string, make: () => Promise<Made>): Promise<Made> {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await make();
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/**
 * Puts right what a killed build left beside an index: its draft goes, and the old index gets its name back if it had just lost it.
 * Folders of builds that still run are left alone.
 */
export function mendFolder(out: string): void {
  const folder = dirname(resolve(out));
  const name = basename(resolve(out));
  for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
    const [, pid, kind] =
      /^\.(\d+)\.(new|old)$/.exec(entry.startsWith(name) ? entry.slice(name.length) : '') ?? [];
    if (!pid || isRunning(Number(pid))) continue;
    if (kind === 'old' && !existsSync(out)) renameSync(join(folder, entry), out);
    else rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** No file system swaps two folders everywhere, so for a moment neither name exists; `mendFolder` puts a kill in that moment right. */
export function replaceFolder(from: string, to: string): void {
  const old = `${to}.${process.pid}.old`;
  mkdirSync(dirname(to), { recursive: true });
  if (existsSync(to)) renameSync(to, old);
  try {
    renameSync(from, to);
  } catch (error) {
    if (existsSync(old)) renameSync(old, to);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}
