import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, explainFull, namesIn, unwritable } from './writable.ts';

/** Attempts to replace or read a folder that other processes replace at the same time, and milliseconds between reads. */
const ATTEMPTS = 100;
const PAUSE = 10;

/**
 * What a process puts beside a folder that it replaces: the `draft` of the new folder, or the `old` one. The name says so, and which
 * process it belongs to. Folders with other names are never touched.
 */
interface Beside {
  path: string;
  target: string;
  state: 'draft' | 'old';
  /** The process, and when it started: process ids are reused. */
  pid: number;
  started: string;
}

/** The target's name, the state, the process and when it started. */
const NAME = /^(.+)\.polyseek-(draft|old)-(\d+)-(\d+)-[0-9a-f]{8}$/s;

function nameBeside(target: string, state: Beside['state']): string {
  const started = startOf(process.pid) ?? 0;
  const unique = randomBytes(4).toString('hex');
  return `${resolve(target)}.polyseek-${state}-${process.pid}-${started}-${unique}`;
}

function allIn(folder: string): Beside[] {
  return namesIn(folder).flatMap((name) => {
    const [, target, state, pid, started = ''] = NAME.exec(name) ?? [];
    if (target === undefined) return [];
    const places = { path: join(folder, name), target: join(folder, target) };
    return { ...places, state: state as Beside['state'], pid: Number(pid), started };
  });
}

function besides(target: string): Beside[] {
  const path = resolve(target);
  return allIn(dirname(path)).filter((one) => one.target === path);
}

/**
 * Creates an empty draft folder beside `target`.
 * @throws a sentence that names the folder and the reason
 */
export function createDraft(target: string): string {
  const draft = nameBeside(target, 'draft');
  try {
    mkdirSync(draft, { recursive: true });
  } catch (error) {
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
    const old = nameBeside(target, 'old');
    if (moved(target, old)) replaced.push(old);
    try {
      renameSync(draft, target);
      break;
    } catch (error) {
      // Another process has put its own folder there meanwhile.
      if (isTaken(error) && attempt < ATTEMPTS) continue;
      const last = replaced.at(-1);
      if (last) moved(last, target);
      throw error;
    }
  }
  for (const old of replaced) removeOld(old, target);
}

/** Cleans up after killed processes: removes their drafts of `target`, and restores the old folder if the target is missing. */
export function removeStaleDrafts(target: string): void {
  removeStale(besides(target));
}

/** Cleans up after killed processes as `removeStaleDrafts` does, for all targets in a folder. */
export function removeAllStaleDrafts(folder: string): void {
  removeStale(allIn(resolve(folder)));
}

function removeStale(all: readonly Beside[]): void {
  for (const { path, target, state, pid, started } of all) {
    if (isRunning(pid, started)) continue;
    if (state === 'draft') rmSync(path, { recursive: true, force: true });
    else if (existsSync(target) || !moved(path, target)) removeOld(path, target);
  }
}

/**
 * Finds a folder for reading, without changing anything: the target, or the old one if a process was killed while it replaced the
 * target. Without either, returns the target.
 */
export function locateFolder(target: string): string {
  if (existsSync(target)) return target;
  return besides(target).find(({ state }) => state === 'old')?.path ?? target;
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

/** Runs `make`, then removes the folder, even if the process exits first (as on an interrupt). */
export async function withTemporaryFolder<Made>(folder: string, make: () => Promise<Made>): Promise<Made> {
  const remove = removeAtExit(folder);
  try {
    return await make();
  } finally {
    remove();
  }
}

/** Removes a folder when the process ends. Returns a function that removes it now. */
export function removeAtExit(folder: string): () => void {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
}

/**
 * Reads an index folder that other processes may replace at any time. Reads it again if that happened meanwhile, so that everything
 * that was read comes from one index.
 * @param target the folder; if a build was killed while it replaced the folder, the old one is read
 * @param read opens or copies the files; may run several times
 * @param discard frees what `read` returned from files of two indexes
 * @throws what `read` throws although nobody replaced the folder
 */
export async function readFolder<Result>(
  target: string,
  read: (folder: string) => Result | Promise<Result>,
  discard: (result: Result) => void = () => {},
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const folder = locateFolder(target);
    const manifest = join(folder, 'manifest.json');
    // While it is open, no other file gets its number.
    const opened = openIfPresent(manifest);
    // Without a manifest, there is no index, or it is being replaced.
    const wasReplaced = () =>
      locateFolder(target) !== folder ||
      !isSame(manifest, opened) ||
      (opened === undefined && besides(target).length > 0);
    try {
      const result = await read(folder);
      if (!wasReplaced()) return result;
      discard(result);
      if (attempt === ATTEMPTS)
        throw new Error(`${target} was replaced again and again while it was read. Run this command again.`);
    } catch (error) {
      if (attempt === ATTEMPTS || !wasReplaced()) throw error;
    } finally {
      if (opened !== undefined) closeSync(opened);
    }
    await wait(PAUSE);
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

/** Whether a path is still the open file, or still cannot be opened. */
function isSame(path: string, opened: number | undefined): boolean {
  const before = opened === undefined ? undefined : fstatSync(opened, { bigint: true });
  try {
    const found = statSync(path, { bigint: true });
    return found.dev === before?.dev && found.ino === before.ino;
  } catch {
    // It does not exist, or its folder is a file.
    return before === undefined;
  }
}

/** Moves a folder. Returns whether it did: the folder may be missing, or another one in its place, because of other processes. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (isTaken(error) || codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes an old folder. As a draft first, because nobody reads or restores one that is half removed. Of a link, removes only the link. */
function removeOld(old: string, target: string): void {
  const draft = nameBeside(target, 'draft');
  if (moved(old, draft)) rmSync(draft, { recursive: true, force: true });
}

/** Whether a folder cannot be renamed because another is in its place. */
const isTaken = (error: unknown): boolean => /^(ENOTEMPTY|EEXIST)$/.test(codeOf(error));

/** Whether the process that started at this time still runs. */
function isRunning(pid: number, started: string): boolean {
  const found = startOf(pid);
  if (found !== undefined) return found === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
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
