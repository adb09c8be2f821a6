import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/**
 * The files that mark a draft: one that a process writes, and a folder that a process has moved aside to replace it. Cleaning up only
 * touches folders that contain one, so a folder of the user that happens to have a similar name is safe.
 */
export const MARKERS = { written: '.polyseek-draft', replaced: '.polyseek-replaced' } as const;

/** Files with this prefix are no part of a folder's content: markers and tries to write, which a killed process may have left. */
export const OWN = '.polyseek-';

/** Whether a file is a marker, or a try to write. */
export const isMarker = (name: string): boolean => name.startsWith(OWN);

interface Marker {
  /** The process that owns the draft, and when it started: process ids are reused. */
  pid: number;
  started: string;
  /** Base name of the folder that the draft replaces, or that was moved aside. */
  target: string;
}

/** Marks a folder. */
export function writeMarker(folder: string, target: string, name: string): void {
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
export function readMarker(folder: string, target: string, name: string): Marker | undefined {
  try {
    const marker = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Marker;
    return marker.target === basename(resolve(target)) ? marker : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the process that wrote a marker has ended. */
export function isStale(marker: Marker | undefined): marker is Marker {
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
