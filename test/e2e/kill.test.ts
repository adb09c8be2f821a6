import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Embedder } from '../../index/embedding/embedder.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { buildIndex, tokenCounter } from '../../index/ingest/build.ts';
import { Cache } from '../../index/ingest/cache/cache.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { readDocuments } from '../../index/ingest/sources/open-sources.ts';
import { openSearch } from '../../index/search/index-search.ts';
import { defaultModel, root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { command, killGroup, startGroup } from '../fixtures/processes.ts';

const folder = temporaryFolder();
const [old, out, documents] = [join(folder, 'old'), join(folder, 'index'), join(folder, 'documents.jsonl')];
const { dir, model } = defaultModel();

/** Many short records. They are fast to embed, but slow enough to write for a test to kill the build. */
const RECORDS = 200;

beforeAll(() => {
  writeRandomIndex(old, 20, defaultModel());
  const lines = Array.from({ length: RECORDS }, (_, i) => JSON.stringify({ text: `Item ${i}` }));
  writeFileSync(documents, lines.join('\n'));
});

beforeEach(() => {
  for (const name of readdirSync(folder))
    if (name.startsWith('index')) rmSync(join(folder, name), { recursive: true });
  cpSync(old, out, { recursive: true });
});

/** Resolves when a build has created its draft beside `out`, and this file in it. */
function draftContains(file: string | undefined): Promise<void> {
  return new Promise((resolve) => {
    const watchers = [
      watch(folder, (_, name) => {
        if (!name?.includes('.polyseek-draft-')) return;
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
        // The draft is renamed already. A late kill must do no harm either.
        done();
      }
    };
  });
}

const drafts = () => readdirSync(folder).filter((name) => name.startsWith('index.'));

type Build = ReturnType<typeof startGroup>;

type Moment = [string, (build: Build) => Promise<unknown>];
const EARLY_MOMENTS: Moment[] = [
  ['when it has started', (build) => once(build, 'spawn')],
  ['when it has embedded some passages', (build) => once(build.stderr, 'data')],
  ['when it has created its draft', () => draftContains(undefined)],
];

test.each<Moment>([
  ...(process.env.ALL_RUNS ? EARLY_MOMENTS : []),
  ['when it has written the graph', () => draftContains('graph.bin')],
  ['when it has written the manifest', () => draftContains('manifest.json')],
])('a build that is killed %s leaves a valid index', async (_, moment) => {
  const build = startGroup('index', [documents, '--index', out]);
  await moment(build);
  await killGroup(build);
  const { info } = await openSearch({ index: out, model: dir, verify: true });
  // The old index, or the complete new index if the kill was late.
  if (info.passages !== RECORDS) expect(info.version).toBe(readManifest(old, model, true).version);
});

test.runIf(process.env.ALL_RUNS)(
  'a build goes on where a killed build with the same cache stopped',
  async () => {
    const script = join(folder, 'build.mts');
    const cacheFolder = join(folder, 'cache');
    const module = (path: string) => JSON.stringify(pathToFileURL(join(root, path)).href);
    writeFileSync(
      script,
      `import { buildIndex, tokenCounter } from ${module('index/ingest/build.ts')};
    import { Cache } from ${module('index/ingest/cache/cache.ts')};
    import { Embedder } from ${module('index/embedding/embedder.ts')};
    import { readDocuments } from ${module('index/ingest/sources/open-sources.ts')};
    const [records, out, dir, cache] = process.argv.slice(2);
    const embedder = await Embedder.open(dir, { verify: false });
    await buildIndex(readDocuments([records]), out, embedder, tokenCounter(dir), {
      cache: new Cache(cache),
      progress: ({ phase, done }) => phase === 'embedding' && process.stdout.write(done + '\\n'),
    });`,
    );
    const args = ['--import', import.meta.resolve('tsx'), script, documents, out, dir, cacheFolder];
    const build = spawn(process.execPath, args);
    let shown = '';
    for await (const text of build.stdout) {
      shown += text;
      // A record takes 2 KB of the 256 KB that are written at once.
      if (shown.includes('\n150\n')) build.kill('SIGKILL');
    }
    const embedder = await Embedder.open(dir, { verify: false });
    const built = async (target: string, cache?: Cache) => {
      const documentsOfFile = readDocuments([documents]);
      const { embedded } = await buildIndex(documentsOfFile, target, embedder, tokenCounter(dir), { cache });
      cache?.close();
      const files = readdirSync(target).sort();
      return { embedded, files: files.map((name) => readFileSync(join(target, name), 'hex')) };
    };
    const resumed = await built(out, new Cache(cacheFolder));
    expect(resumed.embedded).toBeGreaterThan(0);
    expect(resumed.embedded).toBeLessThan(RECORDS - 100);
    expect(resumed.files).toEqual((await built(join(folder, 'index-fresh'))).files);
  },
);

test('an interrupted build says where it stopped', async () => {
  const args = ['index', documents, '--index', out, '--cache', join(folder, 'interrupted'), '--jobs', '1'];
  const build = startGroup(args[0]!, args.slice(1));
  let said = '';
  build.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('Embedding')) build.kill('SIGINT');
  });
  const [code] = await once(build, 'close');
  expect(code).toBe(130);
  const [, total] = /\nStopped at \d+ of (\d+); run again to continue\.\n$/.exec(said) ?? [];
  expect(Number(total)).toBe(RECORDS);
});

test('a build removes the draft of a killed build', async () => {
  const build = startGroup('index', [documents, '--index', out]);
  await once(build.stderr, 'data');
  await killGroup(build);
  expect(drafts()).toHaveLength(1);
  expect(await command('index', [documents, '--index', out])).toMatchObject({ code: 0 });
  expect(drafts()).toEqual([]);
  expect(readManifest(out, model, true).counts.passages).toBe(RECORDS);
});

describe('after a kill between the two renames of a build', () => {
  const files = () => readdirSync(folder, { recursive: true }).sort();

  beforeEach(() => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    mkdirSync(`${out}.polyseek-draft-${pid}-1-0123abcd`);
    renameSync(out, `${out}.polyseek-old-${pid}-1-0123abcd`);
  });

  test('search opens the old index and changes nothing', async () => {
    const before = files();
    expect((await openLocal(out)).info.passages).toBe(20);
    expect((await command('search', ['word', '--index', out, '--json'])).stderr).toBe('');
    expect(files()).toEqual(before);
  });

  test('a build replaces the old index', async () => {
    expect(await command('index', [documents, '--index', out])).toMatchObject({ code: 0 });
    expect(readManifest(out, model, true).counts.passages).toBe(RECORDS);
    expect(drafts()).toEqual([]);
  });

  test('a build that fails restores the old index', async () => {
    const record = join(folder, 'record.jsonl');
    writeFileSync(record, '{"id": "a", "text": "b"}');
    const failing = { model, embed: () => Promise.reject(new Error('No memory.')) };
    const building = buildIndex(readDocuments([record]), out, failing, tokenCounter(dir));
    await expect(building).rejects.toThrow('No memory.');
    expect(readManifest(out, model, true).counts.passages).toBe(20);
    expect(drafts()).toEqual([]);
  });
});

test('search and start keep folders that only look like drafts', async () => {
  const names = ['index.2025.new', 'index.7.old', 'index.draft-0123abcd'];
  for (const name of names) cpSync(old, join(folder, name), { recursive: true });
  await openLocal(out);
  expect(names.filter((name) => readdirSync(folder).includes(name))).toEqual(names);
});
