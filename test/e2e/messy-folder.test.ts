import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Built, buildFromSources } from '../../index/ingest/build-from-sources.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { type NoticeGroup, Notices } from '../../index/ingest/reading/notices.ts';
import { FolderSource } from '../../index/ingest/sources/folder.ts';
import type { ClosableSearch } from '../../index/search/answer.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { type Broken, type Fact, makeMessyFolder } from '../fixtures/messy-folder.ts';
import { missingTools } from '../fixtures/tools.ts';

/** What a newcomer has: a folder with a file of each format, in many languages and encodings, a third of them broken. */
describe.skipIf(missingTools('pandoc', 'soffice'))('a messy folder', () => {
  let facts: Fact[];
  let broken: Broken[];
  let notices: NoticeGroup[];
  let built: Built;
  let search: ClosableSearch;
  beforeAll(async () => {
    const messy = makeMessyFolder();
    ({ facts, broken } = messy);
    const index = join(temporaryFolder(), 'index');
    const collected = new Notices();
    built = await buildFromSources([new FolderSource(messy.folder)], index, {
      report: (notice) => collected.add(notice),
    });
    notices = collected.groups();
    search = await openLocal(index);
  });

  it('is indexed whole', () => {
    // The build counts files, and an archive is one.
    expect(built.files).toBe(facts.length);
    expect(facts.length).toBeGreaterThan(35);
  });

  it('is found by a question about each good file', async () => {
    const missed: string[] = [];
    for (const { file, question } of facts) {
      const { results } = await search.search({ q: question, k: 1, mode: 'hybrid' });
      if (results[0]?.source !== file) missed.push(`${file}: ${results[0]?.source}`);
    }
    expect(missed).toEqual([]);
  });

  it('has each bad file named, with the reason', () => {
    const named = notices.flatMap(({ reason, places }) =>
      places.map(({ place }) => ({ place: place.split('/').at(-1)!, reason })),
    );
    const silent = broken.filter(
      ({ file, reason }) => !named.some((one) => one.place === file && reason.test(one.reason)),
    );
    expect(silent).toEqual([]);
    expect(broken.length).toBeGreaterThan(facts.length / 3);
  });
});
