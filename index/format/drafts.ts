import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isMarker, isStale, MARKERS, readMarker, writeMarker } from './draft-marker.ts';
import { codeOf, explainFull, namesIn, unwritable } from './writable.ts';

/** Attempts to replace a folder that other processes replace at the same time. */
const ATTEMPTS = 100;

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
