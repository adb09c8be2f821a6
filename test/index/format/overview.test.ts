import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lookup } from '../../../index/format/lookup-file.ts';
import {
  countLanguages,
  overviewRecord,
  parseOverview,
  readOverview,
  type SourceSummary,
} from '../../../index/format/overview.ts';
import type { Overview } from '../../../index/format/overview-types.ts';
import { fieldsOf } from '../../../index/format/write-index.ts';
import { lookupFile } from '../../fixtures/files.ts';
import { randomContents, smallModel, temporaryFolder, writeIndex } from '../../fixtures/index.ts';

const contents = {
  counts: { documents: 3, passages: 7, sentences: 9, terms: 20 },
  languages: { en: 3, de: 2, zh: 2 },
};

/** The overview of an index with one passage for each of these sources. */
function overviewOf(sources: string[]): Overview {
  const counts = new Map<string, SourceSummary>();
  for (const source of sources) counts.set(source, { passages: (counts.get(source)?.passages ?? 0) + 1 });
  return parseOverview(Buffer.from(overviewRecord(counts, [])), contents)!;
}

/** Generates this many source names. */
const many = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i));

describe('sources', () => {
  const values = (sources: string[]) => overviewOf(sources).sources.map(({ value }) => value);

  test('are documents if there are few, most passages first', () => {
    expect(overviewOf(['b.md', 'a/x.md', 'c.md', 'a/x.md', 'a/y.md']).sources).toEqual([
      { value: 'a/x.md', passages: 2 },
      { value: 'a/y.md', passages: 1 },
      { value: 'b.md', passages: 1 },
      { value: 'c.md', passages: 1 },
    ]);
  });

  test('have the titles of documents, where these are their own', () => {
    const { passages, ...rest } = randomContents(7, 4);
    const titled = [
      ['a.md', 'Leave › Parents'],
      ['a.md', 'Leave › Sickness'],
      ['b.md', 'Travel'],
      ['de/b.md', 'Travel'],
      ['faq.csv', 'How long?'],
      ['faq.csv', 'How much?'],
      ['x/c.txt', 'c.txt'],
    ].map(([source, title], i) => ({ ...passages[i]!, source: source!, title: title! }));
    const out = join(temporaryFolder(), 'index');
    writeIndex(out, { ...smallModel().model, dimensions: 4 }, { ...rest, passages: titled });
    const lookup = new Lookup(join(out, 'lookup.bin'), 7);
    const { sources } = readOverview(lookup, contents);
    lookup.close();
    expect(sources).toEqual([
      { value: 'a.md', passages: 2, title: 'Leave' },
      { value: 'faq.csv', passages: 2 },
      { value: 'b.md', passages: 1 },
      { value: 'de/b.md', passages: 1 },
      { value: 'x/c.txt', passages: 1 },
    ]);
  });

  test('are folders if there are many documents, as deep as the limit allows', () => {
    const guides = many(60, (i) => `guides/${i % 4}/${i}.md`);
    expect(values([...guides, 'api/x/y.md', 'notes.md']).sort()).toEqual(
      ['api/x/', 'guides/0/', 'guides/1/', 'guides/2/', 'guides/3/', 'notes.md'].sort(),
    );
    expect(values([...many(60, (i) => `guides/${i}/x.md`), 'notes.md'])).toEqual(['guides/', 'notes.md']);
  });

  test('are never a single folder', () => {
    expect(values(many(60, (i) => `docs/${i % 3 ? 'en' : 'de'}/${i}.md`))).toEqual(['docs/en/', 'docs/de/']);
    expect(values(many(60, (i) => `docs/${i}.md`))).toHaveLength(50);
  });

  test('count the passages that a filter on them matches, for any paths', () => {
    const [passage] = randomContents(1, 4).passages;
    const part = fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'grapheme', maxLength: 3 }));
    const path = fc.array(part, { maxLength: 3 }).map((parts) => [...parts, 'file'].join('/'));
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 80 }), (all) => {
        const fields = all.map((source) => fieldsOf({ ...passage!, source }));
        const { sources } = overviewOf(all);
        expect(sources.length).toBeLessThanOrEqual(50);
        for (const { value, passages } of sources) {
          const matching = fields.filter((own) =>
            own.some(([key, one]) => key === 'source' && one === value),
          );
          expect(matching).toHaveLength(passages);
        }
      }),
    );
  });
});

test('documents and languages come from the manifest', () => {
  expect(overviewOf(['a.md'])).toMatchObject({
    documents: 3,
    languages: [
      { value: 'en', passages: 3 },
      { value: 'de', passages: 2 },
      { value: 'zh', passages: 2 },
    ],
  });
});

test.each(['', '{', 'null', '{"sources":[{"value":"a.md"}],"suggestions":[]}'])(
  'refuses %j as a record',
  (text) => {
    const path = join(temporaryFolder(), 'lookup.bin');
    writeFileSync(path, lookupFile(new Map([['o', Buffer.from(text)]])));
    expect(() => readOverview(new Lookup(path, 1), contents)).toThrow(
      `${path} is damaged: the record of the overview is missing or invalid. Run npx polyseek index again.`,
    );
  },
);

test('a tag is counted with the shorter one that a filter includes it in', () => {
  const counts = countLanguages({ 'en-US': 9, de: 5, en: 4, 'pt-BR': 2, 'pt-PT': 1 });
  expect(Object.entries(counts)).toEqual([
    ['en', 13],
    ['de', 5],
    ['pt-BR', 2],
    ['pt-PT', 1],
  ]);
});
