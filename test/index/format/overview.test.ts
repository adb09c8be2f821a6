import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildIndex, tokenCounter } from '../../../index/build.ts';
import type { Document } from '../../../index/documents/document.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { Lookup, writeLookup } from '../../../index/format/lookup-file.ts';
import { readManifest } from '../../../index/format/manifest.ts';
import { readOverview } from '../../../index/format/overview.ts';
import type { Overview } from '../../../index/format/overview-types.ts';
import { matching } from '../../../index/search/filter.ts';
import { openSearch } from '../../../index/search/open.ts';
import {
  defaultModel,
  randomContents,
  temporaryFolder,
  topicDocuments,
  writeIndex,
} from '../../fixtures/index.ts';

const folder = temporaryFolder();
const { dir, model } = defaultModel();
const index = join(folder, 'index');

/** The overview of an index with one passage per source, and a count of the passages that match a source filter. */
function overviewOf(sources: string[]): { overview: Overview; filtered: (source: string) => number } {
  const contents = randomContents(sources.length, model.dimensions);
  const passages = contents.passages.map((passage, i) => ({ ...passage, source: sources[i]! }));
  const manifest = writeIndex(index, model, { ...contents, passages });
  const lookup = new Lookup(join(index, 'lookup.bin'), sources.length);
  const overview = readOverview(lookup, manifest);
  return {
    overview,
    filtered: (source) => matching(lookup, { source }, ['source'], sources.length)?.length ?? 0,
  };
}

/** Generates this many source names. */
const many = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i));

describe('sources', () => {
  const values = (sources: string[]) => overviewOf(sources).overview.sources.map(({ value }) => value);

  test('are documents if there are few, most passages first', () => {
    expect(overviewOf(['b.md', 'a/x.md', 'c.md', 'a/x.md', 'a/y.md']).overview.sources).toEqual([
      { value: 'a/x.md', passages: 2 },
      { value: 'a/y.md', passages: 1 },
      { value: 'b.md', passages: 1 },
      { value: 'c.md', passages: 1 },
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
    const part = fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'grapheme', maxLength: 3 }));
    const path = fc.array(part, { maxLength: 3 }).map((parts) => [...parts, 'file'].join('/'));
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 80 }), (sources) => {
        const { overview, filtered } = overviewOf(sources);
        expect(overview.sources.length).toBeLessThanOrEqual(50);
        for (const { value, passages } of overview.sources) expect(filtered(value)).toBe(passages);
      }),
      { numRuns: 30 },
    );
  });
});

test('languages come from the manifest', () => {
  expect(overviewOf(many(7, (i) => `${i}.md`)).overview.languages).toEqual([
    { value: 'en', passages: 3 },
    { value: 'de', passages: 2 },
    { value: 'zh', passages: 2 },
  ]);
});

test.each(['', '{', 'null', '{"sources":[{"value":"a.md"}],"suggestions":[]}'])(
  'refuses %j as a record',
  (text) => {
    overviewOf(['a.md']);
    const path = join(folder, 'lookup.bin');
    writeFileSync(path, writeLookup(new Map([['o', Buffer.from(text)]])));
    expect(() => readOverview(new Lookup(path, 1), readManifest(index, undefined, false))).toThrow(
      `${path} is damaged: the record of the overview is missing or invalid. Run npm run build-index again.`,
    );
  },
);

describe('suggestions', () => {
  async function suggestionsOf(documents: Document[]) {
    const out = join(folder, 'suggestions');
    const embedder = await Embedder.open(dir, { verify: false });
    await buildIndex(documents, out, embedder, tokenCounter(dir));
    const search = await openSearch({ index: out, model: embedder, verify: false });
    return { search, suggestions: search.overview().suggestions };
  }

  test('cover languages and passages evenly, and each finds its own passage', async () => {
    const { search, suggestions } = await suggestionsOf(await topicDocuments(['en', 'zh']));
    expect(suggestions.map(({ lang }) => lang)).toEqual(['en', 'zh', 'en', 'zh', 'en', 'zh']);
    const found = await Promise.all(
      suggestions.map(async ({ text, lang }) => {
        const { results } = await search.search({ q: text, k: 1, mode: 'semantic', filter: { lang } });
        return results[0]!;
      }),
    );
    expect(found.map(({ text }, i) => text.includes(suggestions[i]!.text))).toEqual(Array(6).fill(true));
    expect(new Set(found.map(({ id }) => id)).size).toBe(6);
  });

  test('prefer questions to headings and headings to sentences, and skip numbers alone', async () => {
    const section = (heading: string, text: string): Document['blocks'] => [
      { kind: 'heading', level: 2, text: heading },
      { kind: 'paragraph', text },
    ];
    const document = (source: string, ...sections: [string, string][]): Document => ({
      source,
      title: source,
      lang: 'en',
      blocks: sections.flatMap(([heading, text]) => section(heading, text)),
    });
    const { suggestions } = await suggestionsOf([
      document('a', ['Article 24', 'Bees build their combs of wax.']),
      document('b', ['Repairing a bicycle tyre', 'Take the wheel off first.']),
      document('c', ['How long does bread keep?', 'Three days in a tin, no longer.']),
      document('d', ['Overview', 'See 4.2 (and "5").']),
      document('e', ['Ferries and their times', 'They leave each hour.']),
      document('f', ['1.2', 'Why is the sky blue? It scatters light.']),
    ]);
    expect(suggestions.map(({ text }) => text)).toEqual([
      'Bees build their combs of wax.',
      'Repairing a bicycle tyre',
      'How long does bread keep?',
      'Ferries and their times',
      'Why is the sky blue?',
    ]);
  });
});
