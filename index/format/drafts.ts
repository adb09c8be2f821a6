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
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * The files that mark a draft: one that a process writes, and a folder that a process has moved aside to replace it. Cleaning up only
 * touches folders that contain one, so a folder of the user that happens to have a similar name is safe.
 */
const MARKERS = { written: '.polyseek-draft', replaced: '.polyseek-replaced' } as const;

/** Attempts to replace a folder that other processes replace at the same time. */
const ATTEMPTS = 100;

interface Marker {
  /** The process that owns the draft, and when it started: process ids are reused. */
  pid: number;
  started: string;
  /** Base name of the folder that the draft replaces, or that was moved aside. */
  target: string;
}

/** Files with this prefix are no part of a folder's content: markers and tries to write, which a killed process may have left. */
const OWN = '.polyseek-';

export const isMarker = (name: string): boolean => name.startsWith(OWN);

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
    writeMarker(draft, target, MARKERS.written);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw unwritable(dirname(draft), error);
  }
  return draft;
}

/**
 * Replaces a folder with its draft. No file system swaps two folders everywhere, so for a moment the target does not exist. If the
 * process is killed in that moment, `removeStaleDrafts` restores the old folder, and `locateFolder` finds it. Of processes that replace
 * the same folder at the same time, all succeed, and the last one's folder stays.
 */
export function replaceFolder(draft: string, target: string): void {
  const replaced: string[] = [];
  for (let attempt = 1; ; attempt++) {
    const old = moveAside(target);
    if (old) replaced.push(old);
    try {
      renameSync(draft, target);
      break;
    } catch (error) {
      // Another process has put its own folder there meanwhile.
      if (isTaken(error) && attempt < ATTEMPTS) continue;
      const last = replaced.at(-1);
      if (last) restore(last, target);
      throw error;
    }
  }
  rmSync(join(target, MARKERS.written), { force: true });
  for (const old of replaced) removeDraft(old);
}

/**
 * Cleans up after killed processes: removes their drafts of `target`, and restores the old folder if the target is missing. Skips
 * drafts of processes that still run, and everything that is not a draft.
 */
export function removeStaleDrafts(target: string): void {
  for (const name of Object.values(MARKERS))
    if (isStale(readMarker(target, target, name))) rmSync(join(target, name), { force: true });
  for (const draft of draftsOf(target)) {
    const replaced = readMarker(draft, target, MARKERS.replaced);
    if (!isStale(replaced ?? readMarker(draft, target, MARKERS.written))) continue;
    if (replaced && !existsSync(target)) restore(draft, target);
    else removeDraft(draft);
  }
}

/**
 * Finds a folder for reading, without changing anything: the target, or the old one if a process was killed while it replaced the
 * target. Without either, returns the target.
 */
export function locateFolder(target: string): string {
  if (existsSync(target)) return target;
  return draftsOf(target).find((draft) => readMarker(draft, target, MARKERS.replaced)) ?? target;
}

/** Whether processes write a folder, replace it, or were killed meanwhile. */
export function hasDrafts(target: string): boolean {
  return draftsOf(target).length > 0;
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
  const foreign = namesIn(target).find((name) => !isMarker(name) && !isPart(name));
  if (foreign !== undefined)
    throw new Error(
      `${target} contains ${foreign}, which is not part of ${kind}. Choose a new folder, or ${kind} to replace.`,
    );
  // The target is renamed in its parent, and marked before that.
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
    try {
      const made = await make(draft);
      replaceFolder(draft, target);
      return made;
    } catch (error) {
      throw explainFull(dirname(draft), error);
    }
  });
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

/** The folders beside a target that may be its drafts. */
function draftsOf(target: string): string[] {
  const folder = dirname(resolve(target));
  const prefix = `${basename(resolve(target))}.draft-`;
  const names = namesIn(folder).filter((name) => name.startsWith(prefix));
  return names.map((name) => join(folder, name));
}

/** The names in a folder; none if it does not exist. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function writeMarker(folder: string, target: string, name: string): void {
  const marker: Marker = {
    pid: process.pid,
    started: startOf(process.pid) ?? new Date(Date.now() - process.uptime() * 1000).toISOString(),
    target: basename(resolve(target)),
  };
  const path = join(folder, name);
  try {
    writeFileSync(path, JSON.stringify(marker));
  } catch (error) {
    // A full disk leaves an empty file.
    rmSync(path, { force: true });
    throw error;
  }
}

/** The marker with this name in a folder. Undefined without a marker for this target. */
function readMarker(folder: string, target: string, name: string): Marker | undefined {
  try {
    const marker = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Marker;
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

/** Moves a folder aside, marked. Returns its new path; undefined if it does not exist, or another process has moved it. */
function moveAside(target: string): string | undefined {
  const old = draftName(target);
  try {
    writeMarker(target, target, MARKERS.replaced);
    renameSync(target, old);
    return old;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Moves an old folder back, unless another process does, or has put its own there. */
function restore(old: string, target: string): void {
  try {
    renameSync(old, target);
    rmSync(join(target, MARKERS.replaced), { force: true });
  } catch (error) {
    if (!isTaken(error) && codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Removes a draft, its marker last, so that an interrupted removal can be completed later. Of a link, only the link is removed. */
function removeDraft(draft: string): void {
  const [written, replaced] = [join(draft, MARKERS.written), join(draft, MARKERS.replaced)];
  try {
    // From here on, nobody restores it or reads it.
    if (existsSync(replaced)) renameSync(replaced, written);
    if (!lstatSync(draft).isSymbolicLink())
      for (const name of readdirSync(draft))
        if (!isMarker(name)) rmSync(join(draft, name), { recursive: true, force: true });
    rmSync(written, { force: true });
    rmSync(draft, { recursive: true, force: true });
  } catch (error) {
    // Another process has removed it meanwhile.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Whether a folder cannot be renamed because another is in its place. */
const isTaken = (error: unknown): boolean => /^(ENOTEMPTY|EEXIST)$/.test(codeOf(error));

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

function unwritable(folder: string, error: unknown): unknown {
  const code = codeOf(error);
  return FIXES[code] ? new Error(`${folder}: ${FIXES[code]}`, { cause: error }) : error;
}
