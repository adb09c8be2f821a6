import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
  rmSync(join(from, '.polyseek-draft'), { force: true });
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

/** The file that marks a folder as a draft of this project. */
const MARKER = '.polyseek-draft';

/** Makes a folder beside `target` to write its replacement in. @returns its path */
export function createDraft(target: string): string {
  const draft = `${resolve(target)}.draft-${randomBytes(4).toString('hex')}`;
  mkdirSync(draft, { recursive: true });
  const marker = { pid: process.pid, startedAt: new Date().toISOString(), target: basename(target) };
  writeFileSync(join(draft, MARKER), JSON.stringify(marker));
  return draft;
}

/** Removes drafts of a target whose process was killed. */
export function removeStaleDrafts(target: string): void {
  const folder = dirname(resolve(target));
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const marker = join(folder, name, MARKER);
    if (!name.startsWith(`${basename(target)}.draft-`) || !existsSync(marker)) continue;
    if (!isRunning(JSON.parse(readFileSync(marker, 'utf8')).pid))
      rmSync(join(folder, name), { recursive: true });
  }
}
