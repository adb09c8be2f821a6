import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { buildIndex } from '../../../index/ingest/build.ts';
import { Cache } from '../../../index/ingest/cache/cache.ts';
import { readSources } from '../../../index/ingest/reading/read-sources.ts';
import { FolderSource } from '../../../index/ingest/sources/folder.ts';
import { fakeEmbedder } from '../../fixtures/fake-embedder.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const [out, cacheFolder] = [join(folder, 'index'), join(folder, 'cache')];
const STOP = new Error('Stop.');
const TOTAL = 400;
const countTokens = (text: string) => Math.ceil(text.length / 4);

function* documents(): Generator<Document> {
  for (let i = 0; i < TOTAL; i++)
    yield {
      source: `${i}.txt`,
      title: `Ship ${i}`,
      lang: 'en',
      metadata: {},
      blocks: [{ kind: 'paragraph', text: `Ship ${i} sails to harbour ${i}.` }],
    };
}

beforeEach(() => {
  for (const path of [out, cacheFolder]) rmSync(path, { recursive: true, force: true });
});

test('a stopped build writes no index, and the next one embeds only the rest', async () => {
  const stop = new AbortController();
  const first = fakeEmbedder();
  const cache = new Cache(cacheFolder);
  let embedded = 0;
  const building = buildIndex(documents(), out, first, countTokens, {
    cache,
    signal: stop.signal,
    progress: ({ phase, done }) => {
      if (phase === 'embedding') embedded = done;
      if (embedded === TOTAL / 4) stop.abort(STOP);
    },
  });
  await expect(building).rejects.toBe(STOP);
  cache.close();
  expect(existsSync(out)).toBe(false);
  const next = new Cache(cacheFolder);
  const built = await buildIndex(documents(), out, fakeEmbedder(), countTokens, { cache: next });
  next.close();
  expect(built.unchanged).toBeGreaterThanOrEqual(TOTAL / 4);
  expect(built.embedded + built.unchanged).toBe(TOTAL);
});

test('a build that is stopped while it reads embeds nothing', async () => {
  const stop = new AbortController();
  const embedder = fakeEmbedder();
  const building = buildIndex(documents(), out, embedder, countTokens, {
    signal: stop.signal,
    progress: ({ done }) => done === 3 && stop.abort(STOP),
  });
  await expect(building).rejects.toBe(STOP);
  expect(embedder.texts).toEqual([]);
});

test('reading stops between two files, and keeps what it read', async () => {
  const files = join(folder, 'files');
  const paths = ['a', 'b', 'c'].map((name) => `${files}-${name}.txt`);
  for (const path of paths) writeFileSync(path, `The content of ${path}.`);
  const sources = paths.map((path) => new FolderSource(path));
  const stop = new AbortController();
  const cache = new Cache(cacheFolder);
  const read = async (signal?: AbortSignal) => {
    const found = [];
    const progress = ({ done }: { done: number }) => done === 2 && signal && stop.abort(STOP);
    const reading = readSources(sources, { cache, signal, progress });
    for (;;) {
      const { done, value } = await reading.next();
      if (done) return { found, summary: value };
      found.push(value.source);
    }
  };
  await expect(read(stop.signal)).rejects.toBe(STOP);
  expect((await read()).summary).toEqual({ files: 3, unchangedFiles: 2 });
  cache.close();
});
