import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { usableProcessors } from '../../../index/embedding/processors.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'polyseek-groups-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** The processors of a machine with 64, whose control groups are these files. */
function processors(own: string, files: Record<string, string>): number {
  writeFileSync(join(root, 'own'), own);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return usableProcessors({ own: join(root, 'own'), root }, 64);
}

test.each([
  ['a container of version 2', '0::/\n', { 'cpu.max': '200000 100000\n' }, 2],
  ['a part of a processor', '0::/\n', { 'cpu.max': '50000 100000\n' }, 1],
  ['one and a half processors', '0::/\n', { 'cpu.max': '150000 100000\n' }, 2],
  ['no quota', '0::/\n', { 'cpu.max': 'max 100000\n' }, 64],
  ['more than the machine has', '0::/\n', { 'cpu.max': '9900000 100000\n' }, 64],
  [
    'a quota of a group above',
    '0::/a/b\n',
    { 'a/b/cpu.max': 'max 100000\n', 'a/cpu.max': '300000 100000\n' },
    3,
  ],
  [
    "a container of version 1, whose path is the host's",
    '5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n',
    { 'cpu/cpu.cfs_quota_us': '400000\n', 'cpu/cpu.cfs_period_us': '100000\n' },
    4,
  ],
  [
    'no quota of version 1',
    '4:cpu:/\n',
    { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' },
    64,
  ],
  ['files that are damaged', 'x\n0::/\n', { 'cpu.max': '' }, 64],
])('counts the processors of %s', (_, own, files, expected) => {
  expect(processors(own, files as Record<string, string>)).toBe(expected);
});

test('counts those of the machine without control groups', () => {
  expect(usableProcessors({ own: join(root, 'none'), root }, 8)).toBe(8);
});
