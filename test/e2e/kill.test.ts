import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { readManifest } from '../../index/format/manifest.ts';
import { openLocal } from '../../index/local.ts';
import { openSearch } from '../../index/search/open.ts';
import { defaultModel, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { killGroup, npmRun, startGroup } from '../fixtures/processes.ts';

const folder = temporaryFolder();
const [old, out, documents] = [join(folder, 'old'), join(folder, 'index'), join(folder, 'documents.jsonl')];
const { dir, model } = defaultModel();

/** Many short records: quick to embed, and long enough to write that a build can be met while it does. */
const RECORDS = 200;

beforeAll(() => {
  writeRandomIndex(old, 20);
  const lines = Array.from({ length: RECORDS }, (_, i) => JSON.stringify({ text: `Item ${i}` }));
  writeFileSync(documents, lines.join('\n'));
});

beforeEach(() => {
  rmSync(out, { recursive: true, force: true });
  cpSync(old, out, { recursive: true });
});

/** Resolves when a folder that some build drafts beside `out` has come to be, and has such a file in it. */
function draftHolds(file: string | undefined): Promise<void> {
  return new Promise((resolve) => {
    const watchers = [
      watch(folder, (_, name) => {
        if (!name?.endsWith('.new')) return;
        if (file === undefined) done();
        else lookInto(join(folder, name));
      }),
    ];
    const done = () => {
      for (const watcher of watchers) watcher.close();
      resolve();
    };
    const lookInto = (draft: string) => {
      try {
        watchers.push(watch(draft, (_, name) => name === file && done()));
        if (readdirSync(draft).includes(file!)) done();
      } catch {
        // The draft has become the index already: the kill comes too late, which must do no harm either.
        done();
      }
    };
  });
}

type Build = ReturnType<typeof startGroup>;

test.each<[string, (build: Build) => Promise<unknown>]>([
  ['when it has started', (build) => once(build, 'spawn')],
  ['when it has embedded some passages', (build) => once(build.stderr!, 'data')],
  ['when it begins to write', () => draftHolds(undefined)],
  ['when it has written the graph', () => draftHolds('graph.bin')],
  ['when it has written the manifest', () => draftHolds('manifest.json')],
])('a build that is killed %s leaves an index that opens', async (_, moment) => {
  const build = startGroup('build-index', [documents, '--out', out]);
  await moment(build);
  await killGroup(build);
  const { info } = await openSearch({ index: out, model: dir, verify: true });
  // The old index, or all of the new one if the kill came late; nothing else.
  if (info.passages !== RECORDS) expect(info.version).toBe(readManifest(old, model, true).version);
});

test('a build that is killed before it writes leaves nothing behind', async () => {
  const names = readdirSync(folder);
  const build = startGroup('build-index', [documents, '--out', out]);
  await once(build.stderr!, 'data');
  await killGroup(build);
  expect(readdirSync(folder)).toEqual(names);
});

test('a build after one that was killed replaces the index', async () => {
  expect(await npmRun('build-index', [documents, '--out', out])).toMatchObject({ code: 0 });
  expect(readManifest(out, model, true).counts.passages).toBe(RECORDS);
});

test('a build that was killed between its two renames leaves an index that opens, and no more', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  cpSync(old, `${out}.${pid}.new`, { recursive: true });
  renameSync(out, `${out}.${pid}.old`);
  // A build that still runs, this process, keeps its draft.
  cpSync(old, `${out}.${process.pid}.new`, { recursive: true });
  expect((await openLocal(out)).info.passages).toBe(20);
  const left = readdirSync(folder).filter((name) => name.startsWith('index'));
  expect(left.sort()).toEqual(['index', `index.${process.pid}.new`]);
  rmSync(`${out}.${process.pid}.new`, { recursive: true });
});
