import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createDraft,
  locateFolder,
  removeAllStaleDrafts,
  removeStaleDrafts,
  replaceFolder,
} from '../../../index/format/drafts.ts';
import { checkFreeSpace, checkReplaceable } from '../../../index/format/writable.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const target = join(folder, 'index');

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});

/** Creates a folder with one file. */
function write(path: string, content: string): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'file'), content);
}

const content = (path: string) => readFileSync(join(path, 'file'), 'utf8');

/** Makes a draft, or an old folder, look as if it belonged to another process. Returns its path. */
function disown(
  draft: string,
  { pid = spawnSync(process.execPath, ['-e', '']).pid, state = 'draft' } = {},
): string {
  const other = draft.replace(/-draft-\d+-/, `-${state}-${pid}-`);
  renameSync(draft, other);
  return other;
}

/** Creates the state after a kill between the two renames. Returns the path of the old folder, now moved aside. */
function killBetweenRenames(): string {
  write(target, 'old');
  write(disown(createDraft(target)), 'new');
  const aside = disown(createDraft(target), { state: 'old' });
  rmSync(aside, { recursive: true });
  renameSync(target, aside);
  return aside;
}

test('a draft is a folder beside its target, and leaves nothing else after replacing it', () => {
  const draft = createDraft(target);
  expect(draft).toMatch(new RegExp(`/index\\.polyseek-draft-${process.pid}-\\d+-[0-9a-f]{8}$`));
  write(target, 'old');
  write(draft, 'new');
  replaceFolder(draft, target);
  expect(content(target)).toBe('new');
  expect(readdirSync(folder)).toEqual(['index']);
  expect(readdirSync(target)).toEqual(['file']);
});

test('a symbolic link is replaced, and its folder keeps its files', () => {
  write(join(folder, 'linked'), 'old');
  symlinkSync(join(folder, 'linked'), target);
  const draft = createDraft(target);
  write(draft, 'new');
  replaceFolder(draft, target);
  expect([content(target), content(join(folder, 'linked'))]).toEqual(['new', 'old']);
  expect(readdirSync(join(folder, 'linked'))).toEqual(['file']);
  expect(readdirSync(folder)).toEqual(['index', 'linked']);
});

test('a folder stays in place if its draft is missing', () => {
  write(target, 'old');
  expect(() => replaceFolder(join(folder, 'none'), target)).toThrow('ENOENT');
  expect(content(target)).toBe('old');
  expect(readdirSync(folder)).toEqual(['index']);
});

describe('cleaning up', () => {
  test('removes drafts of killed processes, of one folder or of all', () => {
    write(target, 'old');
    disown(createDraft(target));
    const other = disown(createDraft(join(folder, 'other')));
    removeStaleDrafts(target);
    expect(readdirSync(folder)).toEqual(['index', basename(other)]);
    removeAllStaleDrafts(folder);
    expect(readdirSync(folder)).toEqual(['index']);
  });

  test.runIf(process.platform === 'linux')('removes the draft of a process whose id was reused', () => {
    const draft = createDraft(target);
    renameSync(draft, draft.replace(/-\d+(-[0-9a-f]{8})$/, '-1$1'));
    removeStaleDrafts(target);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('keeps the draft of a running process', () => {
    const draft = createDraft(target);
    removeStaleDrafts(target);
    expect(existsSync(draft)).toBe(true);
  });

  test.each(['index.2025.new', 'index.1.old', 'index.draft-0123abcd', 'index.polyseek-draft'])(
    'keeps the user’s folder %s',
    (name) => {
      write(join(folder, name), 'mine');
      removeStaleDrafts(target);
      expect(content(join(folder, name))).toBe('mine');
    },
  );

  test('restores the old folder after a kill between the two renames', () => {
    killBetweenRenames();
    removeStaleDrafts(target);
    expect(content(target)).toBe('old');
    expect(readdirSync(folder)).toEqual(['index']);
    expect(readdirSync(target)).toEqual(['file']);
  });

  test('removes the old folder after a kill after the second rename', () => {
    const aside = killBetweenRenames();
    const draft = readdirSync(folder).find((name) => join(folder, name) !== aside)!;
    renameSync(join(folder, draft), target);
    removeStaleDrafts(target);
    expect(content(target)).toBe('new');
    expect(readdirSync(folder)).toEqual(['index']);
    expect(readdirSync(target)).toEqual(['file']);
  });
});

test('after a kill between the two renames, reading finds the old folder and changes nothing', () => {
  expect(locateFolder(target)).toBe(target);
  const aside = killBetweenRenames();
  const before = readdirSync(folder);
  expect(locateFolder(target)).toBe(aside);
  expect(readdirSync(folder)).toEqual(before);
  write(target, 'new');
  expect(locateFolder(target)).toBe(target);
});

describe('a folder without write access', () => {
  const isPart = () => false;

  /** Runs as a normal user, because root may write anywhere. */
  function asUser(run: () => void): void {
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65534);
    try {
      run();
    } finally {
      if (root) process.seteuid?.(0);
    }
  }

  test('is refused with a reason', () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o555);
    const message = `${locked}: permission denied. Choose a folder that you can write to.`;
    chmodSync(folder, 0o777);
    asUser(() => expect(() => checkReplaceable(locked, isPart, 'an index')).toThrow(message));
    chmodSync(folder, 0o755);
    asUser(() => expect(() => createDraft(join(locked, 'index'))).toThrow(message));
    asUser(() =>
      expect(() => checkReplaceable(join(locked, 'a/index'), isPart, 'an index')).toThrow(message),
    );
  });

  test('is refused if its parent is a file', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => checkReplaceable(join(folder, 'file/a/index'), isPart, 'an index')).toThrow(
      `${join(folder, 'file')} is a file. Choose a folder in another place.`,
    );
  });

  test('is refused if the disk has too little space', () => {
    checkFreeSpace(folder, 1);
    expect(() => checkFreeSpace(join(folder, '.'), 1e18)).toThrow(
      /: [\d.]+ MB free on the disk, but at least 1000000000000\.0 MB needed\. Free some space, or choose another disk\.$/,
    );
  });
});
