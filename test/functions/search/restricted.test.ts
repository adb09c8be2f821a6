import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import { openModel, openSearch } from '../../../index/search/index-search.ts';
import { sharedCache } from '../../fixtures/index.ts';
import {
  answerOf,
  build,
  compareWithNever,
  dir,
  embedder,
  endpoint,
  GROUPS,
  restrictedTo,
  topics,
} from './restricted.ts';

const open = (index: string) => openSearch({ index, model: dir, verify: true });
afterAll(() => embedder.close());

describe('documents restricted to groups', () => {
  test('are for others as if they were not in the index', { timeout: 300_000 }, () =>
    compareWithNever(open, process.env.ALL_RUNS ? 20 : 2),
  );

  test('change no byte of the public index', async () => {
    const [first, second, ...others] = topics;
    const publicDocuments = [first!, ...others];
    const { index: whole } = await build([restrictedTo(second!, 'hr'), ...publicDocuments]);
    const { index: part } = await build(publicDocuments);
    for (const name of ['manifest.json', 'passages.bin', 'lookup.bin', 'languages.bin', 'graph.bin'])
      expect(readFileSync(join(whole, name)).equals(readFileSync(join(part, name))), name).toBe(true);
    // Documents without restricted ones remove them.
    await buildIndex(publicDocuments, whole, embedder, tokenCounter(dir), { cache: sharedCache() });
    expect(existsSync(join(whole, 'restricted'))).toBe(false);
  });

  test('are found with others by callers of one of their groups, best first', async () => {
    const { index } = await build(topics.map((one, i) => (i % 2 ? restrictedTo(one, ['hr', 'it']) : one)));
    const search = await open(index);
    for (const groups of [['hr'], ['it', 'none'], GROUPS]) {
      const own = await search.for(groups);
      expect((await own.overview()).documents).toBe(topics.length);
      const { results } = await own.search({ q: 'How is bread baked?', k: 40, mode: 'hybrid' });
      expect(new Set(results.map(({ metadata }) => 'access' in metadata!))).toEqual(new Set([true, false]));
      const confidences = results.map(({ confidence }) => confidence);
      expect(confidences).toEqual(confidences.toSorted((a, b) => b - a));
      let listed = 0;
      for (let from: number | undefined = 0; from !== undefined; ) {
        const { documents, next } = await own.documents(undefined, from);
        listed += documents.length;
        from = next;
      }
      // Records of one file are one document for each list of groups.
      expect(listed).toBeGreaterThan(new Set(topics.map(({ source }) => source)).size - 1);
    }
    expect(await search.for(['none'])).toBe(search);
    search.close();
  });

  test('cost one embedding of the question for all lists of groups', async () => {
    const { index } = await build(topics.map((one, i) => (i % 3 ? restrictedTo(one, GROUPS[i % 3]) : one)));
    const model = await openModel(dir, true);
    let embedded = 0;
    const counting = <Args extends unknown[], Result>(embed: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        embedded++;
        return embed(...args);
      };
    };
    const counted = {
      model: model.model,
      tokens: model.tokens.bind(model),
      embed: counting(model.embed.bind(model)),
      ...(model.byToken && { byToken: { ...model.byToken, question: counting(model.byToken.question) } }),
    };
    const search = await openSearch({ index, model: counted, verify: true });
    const own = await search.for(GROUPS);
    const { index: info } = await own.search({ q: 'How is bread baked?', k: 5, mode: 'hybrid' });
    expect(info.version.split('+')).toHaveLength(3);
    expect(embedded).toBe(1);
    search.close();
  });

  test.each([[[]], [[1]], [''], [7], [true]])(
    'with the groups %j are for nobody, and reported',
    async (access) => {
      const [first, second] = topics;
      const { index, notices } = await build([first!, restrictedTo(second!, access)]);
      expect(notices).toEqual([
        expect.objectContaining({ kind: 'failed', place: second!.source, reason: 'restricted to no group' }),
      ]);
      expect(existsSync(join(index, 'restricted'))).toBe(false);
    },
  );

  test('need one that everyone may read', async () => {
    await expect(build([restrictedTo(topics[0]!, 'hr')])).rejects.toThrow('All documents are restricted');
  });

  test('with a damaged index fail for their groups alone', async () => {
    const { index } = await build([topics[0]!, restrictedTo(topics[1]!, 'hr')]);
    rmSync(join(index, 'restricted/00/passages.bin'));
    mkdirSync(join(index, 'restricted/00/passages.bin'));
    const { app, close } = await endpoint(open(index), [['hr'], []]);
    expect(await answerOf(app, [], '/search?q=honey')).toMatch(/^200/);
    expect(await answerOf(app, ['hr'], '/search?q=honey')).toMatch(/^500/);
    close();
  });
});
