import { execFileSync } from 'node:child_process';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Document } from '../../../../index/documents/document.ts';
import { type Notice, RanOut, Unreadable } from '../../../../index/documents/file.ts';
import { Cache } from '../../../../index/ingest/cache/cache.ts';
import {
  OutOfTime,
  type ReadSettings,
  type ReadSummary,
  readSources,
} from '../../../../index/ingest/reading/read-sources.ts';
import { ReadingProcess } from '../../../../index/ingest/reading/reading-process.ts';
import { FolderSource } from '../../../../index/ingest/sources/folder.ts';
import type { Source } from '../../../../index/ingest/sources/source.ts';
import { refuse } from '../../../../index/ingest/sources/source.ts';
import { temporaryFolder } from '../../../fixtures/index.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);

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

  /** A source with a file that cannot be fetched. */
  const failing = (code: string): Source => ({
    options: {},
    async *files() {
      yield {
        source: 'a.txt',
        path: 'a.txt',
        // biome-ignore lint/correctness/useYield: it fails first
        open: async function* () {
          throw Object.assign(new Error('failed'), { code });
        },
      };
    },
  });

  it('reports a file that disappears', async () => {
    const { notices } = await read([failing('ENOENT')]);
    expect(notices).toEqual([
      { kind: 'failed', place: 'a.txt', reason: 'cannot be opened (ENOENT)', fix: 'Try again.' },
    ]);
  });

  it('stops if the disk is full, which is the fault of no file', async () => {
    await expect(read([failing('ENOSPC')])).rejects.toThrow('failed');
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
  /** Reads files of the folder, one after the other. Returns texts of documents, and reasons of files that were given up. */
  async function outcomes(
    reading: ReadingProcess,
    names: string[],
    afterFirst = () => {},
  ): Promise<string[]> {
    const found: string[] = [];
    for (const name of names) {
      try {
        const job = { source: name, path: name, localPath: realpathSync(join(folder, name)), options: {} };
        for await (const event of reading.read(job)) {
          found.push('document' in event ? event.document.blocks[0]!.text : event.notice.reason);
          if (found.length === 1) afterFirst();
        }
      } catch (error) {
        if (!(error instanceof RanOut)) throw error;
        found.push(error.notice.reason);
      }
    }
    reading.close();
    return found;
  }
  /** Sends a signal to the reading process of this test. */
  const signal = (name: string) =>
    execFileSync('pkill', [`-${name}`, '-P', String(process.pid), '-f', 'reading/reading-child']);
  /** A file with more documents than the process sends ahead. */
  const writeMany = (name: string) => write(name, '{"text":"One."}\n'.repeat(100));

  it('gives up a file that waits for ever, and reads the next', async () => {
    writeMany('a.jsonl');
    write('b.txt', 'Two.');
    const reading = new ReadingProcess({ milliseconds: 1000, patience: 4 });
    const found = await outcomes(reading, ['a.jsonl', 'b.txt'], () => signal('STOP'));
    expect(found.length).toBeLessThan(100);
    expect(found.slice(-2)).toEqual(['takes too long', 'Two.']);
  });

  it('gives up a file that crashes it, and reads the next', async () => {
    writeMany('a.jsonl');
    write('b.txt', 'Two.');
    const found = await outcomes(new ReadingProcess(), ['a.jsonl', 'b.txt'], () => signal('KILL'));
    expect(found.slice(-2)).toEqual(['crashed the reader', 'Two.']);
  });

  it('limits the time of a file with all documents in it', async () => {
    const count = 60_000;
    write('a.jsonl', '{"text":"Some words."}\n'.repeat(count));
    const reading = new ReadingProcess({ milliseconds: 500, bytesPerSecond: Infinity, patience: 100 });
    const found = await outcomes(reading, ['a.jsonl']);
    expect(found.at(-1)).toBe('takes too long');
    expect(found.length).toBeLessThan(count);
  });

  it('does not count the time of other programs', async () => {
    writeMany('a.jsonl');
    const reading = new ReadingProcess({ milliseconds: 1000 });
    let ended = Promise.resolve();
    const found = await outcomes(reading, ['a.jsonl'], () => {
      signal('STOP');
      ended = setTimeout(1200).then(() => void signal('CONT'));
    });
    await ended;
    expect(found).toEqual(Array(100).fill('One.'));
  });

  it('gives up a file that needs too much memory', async () => {
    write('a.txt', 'Some words are in this line.\n\n'.repeat(50_000));
    expect(await outcomes(new ReadingProcess({ memory: 2 ** 20 }), ['a.txt'])).toEqual([
      'needs too much memory',
    ]);
  });

  it('starts again for the next file if it did not start', async () => {
    write('a.txt', 'One.');
    write('b.txt', 'Two.');
    const reading = new ReadingProcess();
    vi.stubEnv('NODE_OPTIONS', '--no-such-option');
    const first = outcomes(reading, ['a.txt']);
    vi.unstubAllEnvs();
    expect(await first).toEqual(['the process that reads files did not start']);
    expect(await outcomes(reading, ['b.txt'])).toEqual(['Two.']);
  });
});

describe('a file that is given up', () => {
  const records = (name: string) =>
    Array.from({ length: 20_000 }, (_, id) => JSON.stringify({ id, text: `${name} ${id}.` })).join('\n');

  it('keeps its last version, and is not read a third time', async () => {
    const cache = new Cache(temporaryFolder());
    const sources = [new FolderSource(folder)];
    write('a.jsonl', `${JSON.stringify({ id: 1, text: 'Old.' })}\nnot JSON`);
    write('b.txt', 'Text.');
    const { documents } = await read(sources, { cache });
    expect(documents.map(({ blocks }) => blocks[0]?.text)).toEqual(['Old.', 'Text.']);
    write('a.jsonl', records('New'));
    const unchanged = [];
    for (let build = 1; build <= 3; build++) {
      const next = await read(sources, { cache, limits: { memory: 2 ** 20 } });
      expect(next.documents).toEqual(documents);
      expect(next.notices).toEqual([
        {
          kind: 'failed',
          place: join(folder, 'a.jsonl'),
          reason: 'needs too much memory',
          fix: 'Split it into smaller files. Until then, the index keeps its last version.',
        },
      ]);
      unchanged.push(next.summary.unchangedFiles);
    }
    // The second file was read by the first build.
    expect(unchanged).toEqual([1, 1, 2]);
    write('a.jsonl', JSON.stringify({ id: 1, text: 'Newest.' }));
    expect((await read(sources, { cache })).documents[0]?.blocks[0]?.text).toBe('Newest.');
  });

  it('keeps its last version if it is given up before it is here, as a query is', async () => {
    const cache = new Cache(temporaryFolder());
    let rows = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"text":"Old."}');
    };
    const query: Source = {
      options: {},
      async *files() {
        yield { source: 'sql.jsonl', path: 'a.db: SELECT', open: () => rows() };
      },
    };
    const { documents } = await read([query], { cache });
    rows = () => {
      throw new RanOut('a.db', 'query timed out', 'Make the query faster, or split it.');
    };
    const next = await read([query], { cache });
    expect(next.documents).toEqual(documents);
    expect(next.notices).toMatchObject([{ kind: 'failed', place: 'a.db', reason: 'query timed out' }]);
  });

  it('is one that used up the time of two builds', async () => {
    const cache = new Cache(temporaryFolder());
    write('b.txt', 'Text.');
    // The damaged line calls `report` while the file is read.
    write('a.jsonl', `not JSON\n${'{"text":"A."}\n'.repeat(1000)}`);
    const sources = [new FolderSource(folder)];
    const stopped = async (reason: Error) => {
      const stop = new AbortController();
      const notices: Notice[] = [];
      const report = (notice: Notice) => {
        if (stop.signal.aborted) notices.push(notice);
        stop.abort(reason);
      };
      await expect(read(sources, { cache, signal: stop.signal, report })).rejects.toBe(reason);
      return notices.map(({ reason }) => reason);
    };
    // Another reason says nothing about the file.
    expect(await stopped(new Error('Stop.'))).toEqual([]);
    for (let i = 0; i < 2; i++) expect(await stopped(new OutOfTime())).toEqual(['takes too long']);
    const { documents, notices } = await read(sources, { cache });
    expect(documents.map(({ source }) => source)).toEqual(['b.txt']);
    expect(notices.at(-1)).toMatchObject({ place: join(folder, 'a.jsonl'), reason: 'takes too long' });
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
