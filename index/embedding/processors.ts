import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Where Linux describes control groups. Tests replace it. */
export interface ControlGroups {
  /** The file with the groups of this process (cgroups(7)). */
  own: string;
  /** The folder of all groups. */
  root: string;
}

const LINUX: ControlGroups = { own: '/proc/self/cgroup', root: '/sys/fs/cgroup' };

/**
 * The number of processors that this process may use at the same time: those of the machine, or fewer if a container has a quota.
 * Node 20 reads no quotas.
 */
export function usableProcessors(groups = LINUX, machine = availableParallelism()): number {
  return Math.max(1, Math.min(machine, Math.ceil(Math.min(...quotas(groups)))));
}

/** The quotas of all control groups around this process, in processors. */
function quotas({ own, root }: ControlGroups): number[] {
  return (read(own) ?? '').split('\n').flatMap((line) => {
    // `0::/path` is a group of version 2, `4:cpu,cpuacct:/path` of version 1.
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (controllers === '') return foldersAbove(path).map((folder) => unifiedQuota(join(root, folder)));
    if (!controllers?.split(',').includes('cpu')) return [];
    return foldersAbove(path).map((folder) => legacyQuota(join(root, 'cpu', folder)));
  });
}

/** A folder, and all folders around it: each may have a quota. In a container, some are not visible. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return [...parts.keys(), parts.length].map((count) => parts.slice(0, count).join('/'));
}

function unifiedQuota(folder: string): number {
  const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').split(/\s/);
  return ratio(quota, period);
}

function legacyQuota(folder: string): number {
  return ratio(read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us')));
}

/** Infinite without a quota: `max` in version 2, -1 in version 1. */
function ratio(quota: string | undefined, period: string | undefined): number {
  const processors = Number(quota) / Number(period);
  return processors > 0 ? processors : Number.POSITIVE_INFINITY;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Other systems have no control groups, and a container may hide those around it.
    return undefined;
  }
}
