import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * The file that marks a draft. Cleaning up only touches folders that contain it, so a folder of the user that happens to have a
 * similar name is safe.
 */
export const DRAFT_MARKER = '.polyseek-draft';

interface Marker {
  /** The process that owns the draft, and when it started: process ids are reused. */
  pid: number;
  started: string;
  /** Base name of the folder that the draft replaces, or that was moved aside. */
  target: string;
  role: 'new' | 'old';
}

/** Reasons why a folder cannot be written, with the fix. */
const FIXES: Record<string, string> = {
  EACCES: 'permission denied. Choose a folder that you can write to.',
  EPERM: 'permission denied. Choose a folder that you can write to.',
  EROFS: 'the file system is read-only. Choose a folder that you can write to.',
  ENOSPC: 'no space left on the disk. Free some space and try again.',
  EDQUOT: 'the disk quota is used up. Free some space and try again.',
};

/**
 * Creates an empty draft folder beside `target`, and checks that files can be written there.
 * @returns its path: `<target>.draft-<8 hexadecimal digits>`
 * @throws a sentence that names the folder and the reason
 */
export function createDraft(target: string): string {
  const draft = draftName(target);
  try {
    mkdirSync(draft, { recursive: true });
    writeMarker(draft, target, 'new');
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw unwritable(dirname(draft), error);
  }
  return draft;
}

/**
 * Replaces a folder with its draft. No file system swaps two folders everywhere, so for a moment the target does not exist. If the
 * process is killed in that moment, `removeStaleDrafts` restores the old folder, and `locateFolder` finds it.
 */
export function replaceFolder(draft: string, target: string): void {
  const old = draftName(target);
  const exists = existsSync(target);
  if (exists) {
    writeMarker(target, target, 'old');
    renameSync(target, old);
  }
  try {
    renameSync(draft, target);
  } catch (error) {
    if (exists && !existsSync(target)) restore(old, target);
    throw error;
  }
  rmSync(join(target, DRAFT_MARKER));
  if (exists) removeDraft(old);
}

/**
 * Cleans up after killed processes: removes their drafts of `target`, and restores the old folder if the target is missing. Skips
 * drafts of processes that still run, and everything that is not a draft.
 */
export function removeStaleDrafts(target: string): void {
  if (isStale(readMarker(target, target))) rmSync(join(target, DRAFT_MARKER));
  for (const [draft, marker] of draftsOf(target)) {
    if (!isStale(marker)) continue;
    if (marker.role === 'old' && !existsSync(target)) restore(draft, target);
    else removeDraft(draft);
  }
}

/**
 * Finds a folder for reading, without changing anything: the target, or the old one if a process was killed while it replaced the
 * target. Without either, returns the target.
 */
export function locateFolder(target: string): string {
  if (existsSync(target)) return target;
  return draftsOf(target).find(([, { role }]) => role === 'old')?.[0] ?? target;
}

/**
 * Refuses to replace files that the command did not create, because a mistyped path must not delete a user's files. Also checks
 * write access, before any expensive work.
 * @param isPart whether the command creates an entry with this name in the folder
 * @param kind the kind of folder, for the message: `an index`
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
  const foreign = found && readdirSync(target).find((name) => name !== DRAFT_MARKER && !isPart(name));
  if (foreign !== undefined)
    throw new Error(
      `${target} contains ${foreign}, which is not part of ${kind}. Choose a new folder, or ${kind} to replace.`,
    );
  // The target is renamed in its parent, and marked before that.
  for (const folder of found ? [parent, target] : [parent]) {
    try {
      rmdirSync(mkdtempSync(join(folder, '.polyseek-')));
    } catch (error) {
      throw unwritable(folder, error);
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
 * Writes a folder: as a draft first, which replaces the target once `make` succeeds. Cleans up after killed processes before.
 * @param make writes into the draft; if it fails, the target stays as it was
 */
export async function writeFolder<Made>(
  target: string,
  make: (draft: string) => Promise<Made>,
): Promise<Made> {
  removeStaleDrafts(target);
  const draft = createDraft(target);
  return withTemporaryFolder(draft, async () => {
    const made = await make(draft);
    replaceFolder(draft, target);
    return made;
  });
}

/** Runs `make`, then removes the folder, even if the process exits first (as on an interrupt). */
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

function draftName(target: string): string {
  return `${resolve(target)}.draft-${randomBytes(4).toString('hex')}`;
}

/** The drafts of a target, each with its marker. */
function draftsOf(target: string): [draft: string, marker: Marker][] {
  const folder = dirname(resolve(target));
  const prefix = `${basename(resolve(target))}.draft-`;
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
  return names.flatMap((name): [string, Marker][] => {
    const marker = readMarker(join(folder, name), target);
    return marker ? [[join(folder, name), marker]] : [];
  });
}

function writeMarker(folder: string, target: string, role: Marker['role']): void {
  const marker: Marker = {
    pid: process.pid,
    started: startOf(process.pid) ?? new Date(Date.now() - process.uptime() * 1000).toISOString(),
    target: basename(resolve(target)),
    role,
  };
  writeFileSync(join(folder, DRAFT_MARKER), JSON.stringify(marker));
}

/** The marker in a folder. Undefined without a marker for this target. */
function readMarker(folder: string, target: string): Marker | undefined {
  try {
    const marker = JSON.parse(readFileSync(join(folder, DRAFT_MARKER), 'utf8')) as Marker;
    return marker.target === basename(resolve(target)) ? marker : undefined;
  } catch {
    return undefined;
  }
}

function isStale(marker: Marker | undefined): marker is Marker {
  if (!marker) return false;
  const started = startOf(marker.pid);
  if (started !== undefined) return started !== marker.started;
  try {
    process.kill(marker.pid, 0);
    return false;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EPERM');
  }
}

/**
 * The start time of a process, in clock ticks since the system started. `ended` for a zombie. Undefined if the process does not
 * exist, and on systems other than Linux.
 */
function startOf(pid: number): string | undefined {
  try {
    // The program's name, in parentheses, may contain spaces. After it, the state is the 1st and the start the 20th field
    // (proc_pid_stat(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /^[ZX]$/.test(fields[0]!) ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

function restore(old: string, target: string): void {
  renameSync(old, target);
  rmSync(join(target, DRAFT_MARKER));
}

/** Removes a draft, its marker last, so that an interrupted removal can be completed later. Of a link, only the link is removed. */
function removeDraft(draft: string): void {
  if (!lstatSync(draft).isSymbolicLink())
    for (const name of readdirSync(draft))
      if (name !== DRAFT_MARKER) rmSync(join(draft, name), { recursive: true, force: true });
  rmSync(join(draft, DRAFT_MARKER), { force: true });
  rmSync(draft, { recursive: true, force: true });
}

function unwritable(folder: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  return FIXES[code] ? new Error(`${folder}: ${FIXES[code]}`, { cause: error }) : error;
}
