import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Cache } from '../../../index/cache/cache.ts';
import type { Document } from '../../../index/documents/document.ts';
import { type Notice, Unreadable } from '../../../index/documents/file.ts';
import { refuse } from '../../../index/read-passages.ts';
import { type ReadSettings, type ReadSummary, readSources } from '../../../index/reading/read-sources.ts';
import { ReadingProcess } from '../../../index/reading/reading-process.ts';
import { FolderSource } from '../../../index/sources/folder.ts';
import type { Source } from '../../../index/sources/source.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const write = (name: string, content: string) => writeFileSync(join(folder, name), content);

interface Read {
  documents: Document[];
  notices: Notice[];
  summary: ReadSummary;
}

async function read(sources: Source[], settings: ReadSettings = {}): Promise<Read> {
  const notices: Notice[] = [];
  const documents: Document[] = [];
  const reading = readSources(sources, { report: (notice) => notices.push(notice), ...settings });
  for (;;) {
    const { value, done } = await reading.next();
    if (done) return { documents, notices, summary: value };
    documents.push(value);
  }
}

describe('readSources', () => {
  it('reports what it cannot read, and reads the rest', async () => {
    write('a.md', '# A\n\nText.');
    write('b.jsonl', 'not JSON');
    write('c.png', 'image');
    write('d.txt', ' \n');
    write('e.txt', 'Text.');
    const { documents, notices, summary } = await read([new FolderSource(folder)]);
    expect(documents.map(({ source }) => source)).toEqual(['a.md', 'e.txt']);
    expect(summary).toEqual({ files: 2, unchangedFiles: 0 });
    expect(
      notices.map(({ kind, place }) => [kind, place.slice(folder.length + 1, folder.length + 8)]),
    ).toEqual([
      ['failed', 'b.jsonl'],
      ['skipped', 'c.png'],
      ['skipped', 'd.txt'],
    ]);
  });

  it('stops where its caller refuses a failure', async () => {
    write('a.jsonl', 'not JSON');
    await expect(read([new FolderSource(folder)], { report: refuse })).rejects.toThrow(Unreadable);
  });

  it('reads only files that changed', async () => {
    const cache = new Cache(temporaryFolder());
    write('a.txt', 'One.');
    write('b.txt', 'Two.');
    const fresh = await read([new FolderSource(folder)], { cache });
    const same = await read([new FolderSource(folder)], { cache });
    expect(same.documents).toEqual(fresh.documents);
    expect(same.summary).toEqual({ files: 2, unchangedFiles: 2 });
    write('b.txt', 'Three.');
    rmSync(join(folder, 'a.txt'));
    const changed = await read([new FolderSource(folder)], { cache });
    expect(changed.summary).toEqual({ files: 1, unchangedFiles: 0 });
    expect(changed.documents.map(({ blocks }) => blocks[0]?.text)).toEqual(['Three.']);
    // Other settings may return other documents.
    expect((await read([new FolderSource(folder, { lang: 'en' })], { cache })).summary.unchangedFiles).toBe(
      0,
    );
  });

  it('reports a file that disappears', async () => {
    const gone: Source = {
      options: {},
      async *files() {
        yield {
          source: 'a.txt',
          path: 'a.txt',
          // biome-ignore lint/correctness/useYield: it fails first
          open: async function* () {
            throw Object.assign(new Error('gone'), { code: 'ENOENT' });
          },
        };
      },
    };
    const { notices } = await read([gone]);
    expect(notices).toEqual([
      { kind: 'failed', place: 'a.txt', reason: 'cannot be opened (ENOENT)', fix: 'Try again.' },
    ]);
  });

  it('reads files that are not on this machine', async () => {
    const remote: Source = {
      options: { lang: 'fr' },
      async *files() {
        yield {
          source: 'page',
          path: 'https://docs.example/page',
          url: 'https://docs.example/page',
          extension: '.md',
          open: async function* () {
            yield Buffer.from('# Un\n\n');
            yield Buffer.from('Deux.');
          },
        };
      },
    };
    const { documents } = await read([remote]);
    expect(documents).toMatchObject([
      { source: 'page', url: 'https://docs.example/page', lang: 'fr', title: 'Un' },
    ]);
  });
});

describe('the reading process', () => {
  it('gives up a file that takes too long, and reads the next', async () => {
    // Opening a pipe that nobody writes to never ends.
    const pipe = join(folder, 'a.txt');
    execFileSync('mkfifo', [pipe]);
    write('b.txt', 'Text.');
    const reading = new ReadingProcess({ milliseconds: 300 });
    const events = [];
    for (const name of ['a.txt', 'b.txt'])
      for await (const event of reading.read({
        source: name,
        path: name,
        localPath: join(folder, name),
        options: {},
      }))
        events.push(event);
    reading.close();
    expect(events).toMatchObject([
      { notice: { kind: 'failed', place: 'a.txt', reason: 'takes too long' } },
      { document: { source: 'b.txt' } },
    ]);
  });

  it.runIf(process.platform === 'linux')('gives up a file that needs too much memory', async () => {
    write('a.txt', 'Some words are in this line.\n\n'.repeat(50_000));
    const reading = new ReadingProcess({ memory: 2 ** 20 });
    const events = [];
    const file = { source: 'a.txt', path: 'a.txt', localPath: join(folder, 'a.txt'), options: {} };
    for await (const event of reading.read(file)) events.push(event);
    reading.close();
    expect(events).toMatchObject([{ notice: { reason: 'needs too much memory' } }]);
  });
});

it('keeps menus that recur over the pages of a folder out', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `page-${i}`);
  const menu = names.map((name) => `<li><a href="${name}.html">${name}</a>`).join('');
  for (const name of names)
    write(
      `${name}.html`,
      `<title>${name} - Manual</title><ul>${menu}</ul><h1>${name}</h1><p>The text of ${name}.`,
    );
  const { documents } = await read([new FolderSource(folder)]);
  expect(documents.map(({ title, blocks }) => [title, blocks.map(({ text }) => text)])).toEqual(
    names.toSorted().map((name) => [name, [name, `The text of ${name}.`]]),
  );
});
