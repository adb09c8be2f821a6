import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Filter, Passage, Scalar } from '../../../index/format/passage.ts';
import type { Mode, Search } from '../../../index/search/answer.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { InvalidRequest } from '../../../index/store/store.ts';
import { defaultModel, randomContents, temporaryFolder, writeRandomIndex } from '../../fixtures/index.ts';
import { runs } from '../../fixtures/runs.ts';

/** Enough passages for a filter to match more than are compared exhaustively. */
const PASSAGES = 3000;

const index = join(temporaryFolder(), 'index');
const { dir, model } = defaultModel();
const { passages } = randomContents(PASSAGES, model.dimensions);
let search: Search;

beforeAll(async () => {
  writeRandomIndex(index, PASSAGES, defaultModel());
  search = await openSearch({ index, model: dir, verify: true });
});

async function ask(filter: Filter | undefined, k = 10, mode: Mode = 'hybrid', q = 'word1 number 17') {
  return (await search.search({ q, k, mode, filter })).results;
}

/** Whether a passage matches a filter, by the definition of `Filter`. */
function matches(
  { lang, source, metadata = {} }: Pick<Passage, 'lang' | 'source' | 'metadata'>,
  filter: Filter,
): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    const values: Scalar[] = [wanted].flat();
    if (field === 'lang') return values.includes(lang);
    if (field === 'source')
      return values.some((one) =>
        String(one).endsWith('/') ? source.startsWith(String(one)) : source === one,
      );
    const own: Scalar[] = [metadata[field] ?? []].flat();
    return values.some((one) => own.includes(one));
  });
}

const one = <T extends Scalar>(...values: T[]) => {
  const value = fc.constantFrom<Scalar>(...values);
  return fc.oneof(value, fc.uniqueArray(value, { minLength: 1 }));
};

const filters = fc.record(
  {
    lang: one('en', 'de', 'zh', 'fr'),
    source: one('folder1/', 'folder2/file2.txt', 'folder0/', 'folder9/', 'folder1'),
    number: one(0, 1, 2, 7),
    even: one(true, false),
    tags: one('a0', 'a1', 'b0', 'c'),
    name: one('n0', 'n1', 'n10', ''),
  },
  { requiredKeys: [] },
);

test('any filter returns min(k, matches) results, and all of them match', async () => {
  await fc.assert(
    fc.asyncProperty(
      filters,
      fc.integer({ min: 1, max: 100 }),
      fc.constantFrom<Mode>('hybrid', 'semantic'),
      fc.constantFrom('word1', 'number 17', 'xyzzy'),
      async (filter, k, mode, query) => {
        const existing = passages.filter((passage) => matches(passage, filter)).length;
        const results = await ask(filter, k, mode, query);
        expect(results).toHaveLength(Math.min(k, existing));
        for (const result of results) expect(matches(result, filter)).toBe(true);
        expect(new Set(results.map(({ id }) => id)).size).toBe(results.length);
      },
    ),
    { numRuns: runs(300) },
  );
});

test('lexical: any filter returns the matching passages that contain a word of the question', async () => {
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const existing = passages.filter(
        (passage) => matches(passage, filter) && passage.text.startsWith('word3 '),
      );
      const results = await ask(filter, 100, 'lexical', 'word3');
      expect(results).toHaveLength(Math.min(100, existing.length));
      for (const result of results) expect(matches(result, filter)).toBe(true);
    }),
  );
});

test.each([
  ['lang', 'en'],
  ['source', 'folder3/file7.txt'],
  ['source', 'folder3/'],
  ['number', 3],
  ['even', true],
  ['tags', 'b1'],
  ['name', 'n10'],
  ['lang', ['en', 'de']],
  ['number', [3, 4]],
])('the filter %s: %j returns a hundred of the matching passages', async (field, value) => {
  const filter = { [field]: value };
  const existing = passages.filter((passage) => matches(passage, filter)).length;
  expect(existing).toBeGreaterThan(100);
  const results = await ask(filter, 100);
  expect(results).toHaveLength(100);
  for (const result of results) expect(matches(result, filter)).toBe(true);
});

test('with a filter that more than 1,000 passages match, recall@10 is at least .95', async () => {
  let found = 0;
  for (let i = 0; i < 20; i++) {
    const best = (filter: Filter) => ask(filter, 10, 'semantic', `question ${i}`);
    // Each of these filters matches 300 passages, which are compared exhaustively. The filter below matches all of them.
    const parts = await Promise.all([0, 1, 2, 3, 4].map((number) => best({ even: true, number })));
    const exact = parts.flat().sort((a, b) => b.score - a.score);
    const ids = new Set(exact.slice(0, 10).map(({ id }) => id));
    found += (await best({ even: true })).filter(({ id }) => ids.has(id)).length;
  }
  expect(found / 200).toBeGreaterThanOrEqual(0.95);
});

test('language tags are case-insensitive', async () => {
  expect(await ask({ lang: 'EN' })).toEqual(await ask({ lang: 'en' }));
});

test('all passages match a filter without fields', async () => {
  expect(await ask({})).toEqual(await ask(undefined));
});

test.each(['color', 'Lang', '', 'number\0', '__proto__', 'constructor'])(
  'rejects the unknown field %j',
  async (field) => {
    const asked = ask(Object.fromEntries([[field, 'x']]));
    await expect(asked).rejects.toThrow(InvalidRequest);
    await expect(asked).rejects.toThrow(
      `No passage has the field ${JSON.stringify(field)}. Filter on even, lang, name, number, source, tags.`,
    );
  },
);

test('an unknown value matches no passage', async () => {
  expect(await ask({ number: 99 })).toEqual([]);
  expect(await ask({ number: '3x' })).toEqual([]);
});
