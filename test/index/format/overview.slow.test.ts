import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { Lookup } from '../../../index/format/lookup-file.ts';
import { readManifest } from '../../../index/format/manifest.ts';
import { countLanguages, readOverview } from '../../../index/format/overview.ts';
import type { Overview } from '../../../index/format/overview-types.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import { matching } from '../../../index/search/filter.ts';
import { openSearch } from '../../../index/search/open.ts';
import { listsOf } from '../../../index/store/bundle-store.ts';
import { lookupFile } from '../../fixtures/files.ts';
import { defaultModel, randomContents, temporaryFolder, writeIndex } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const { dir, model } = defaultModel();
const index = join(folder, 'index');

/** The overview of an index with one passage per source, and a count of the passages that match a source filter. */
function overviewOf(sources: string[]): {
  overview: Overview;
  filtered: (source: string) => Promise<number>;
} {
  const contents = randomContents(sources.length, model.dimensions);
  const passages = contents.passages.map((passage, i) => ({ ...passage, source: sources[i]! }));
  const manifest = writeIndex(index, model, { ...contents, passages });
  const lookup = new Lookup(join(index, 'lookup.bin'), sources.length);
  const overview = readOverview(lookup, manifest);
  return {
    overview,
    filtered: async (source) =>
      (await matching(listsOf(lookup), { source }, ['source'], sources.length))?.ordinals.length ?? 0,
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

  test('count the passages that a filter on them matches, for any paths', async () => {
    const part = fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'grapheme', maxLength: 3 }));
    const path = fc.array(part, { maxLength: 3 }).map((parts) => [...parts, 'file'].join('/'));
    await fc.assert(
      fc.asyncProperty(fc.array(path, { minLength: 1, maxLength: 80 }), async (sources) => {
        const { overview, filtered } = overviewOf(sources);
        expect(overview.sources.length).toBeLessThanOrEqual(50);
        for (const { value, passages } of overview.sources) expect(await filtered(value)).toBe(passages);
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
    writeFileSync(path, lookupFile(new Map([['o', Buffer.from(text)]])));
    expect(() => readOverview(new Lookup(path, 1), readManifest(index, undefined, false))).toThrow(
      `${path} is damaged: the record of the overview is missing or invalid. Run npx polyseek index again.`,
    );
  },
);

describe('suggestions', () => {
  async function suggestionsOf(documents: Document[]) {
    const out = join(folder, 'suggestions');
    const embedder = await Embedder.open(dir, { verify: false });
    await buildIndex(documents, out, embedder, tokenCounter(dir));
    const search = await openSearch({ index: out, model: embedder, verify: false });
    return { search, suggestions: (await search.overview()).suggestions };
  }

  /** A document of one section for each of these headings and texts. */
  const document = (
    source: string,
    lang: string,
    ...sections: [heading: string, text: string][]
  ): Document => ({
    source,
    title: source,
    lang,
    blocks: sections.flatMap(([heading, text]): Document['blocks'] => [
      { kind: 'heading', level: 2, text: heading },
      { kind: 'paragraph', text },
    ]),
  });

  test('cover languages and questions evenly, and each finds its own passage', async () => {
    const english = [
      'bread',
      'cheese',
      'honey',
      'butter',
      'rice',
      'wine',
      'salt',
      'fish',
      'milk',
      'tea',
      'soup',
      'eggs',
    ];
    const chinese = ['面包', '奶酪', '蜂蜜', '黄油', '大米', '葡萄酒'];
    const { search, suggestions } = await suggestionsOf([
      ...english.map((food) =>
        document(`en/${food}`, 'en', [
          `How long does ${food} keep?`,
          `Keep ${food} in a cool place, and it lasts.`,
        ]),
      ),
      ...chinese.map((food) =>
        document(`zh/${food}`, 'zh', [`${food}可以保存多久？`, `${food}应放在阴凉处。`]),
      ),
    ]);
    expect(suggestions.map(({ lang }) => lang)).toEqual(['en', 'zh', 'en', 'zh', 'en', 'zh']);
    expect(suggestions.filter(({ lang }) => lang === 'en').map(({ text }) => text)).toEqual(
      ['bread', 'rice', 'milk'].map((food) => `How long does ${food} keep?`),
    );
    for (const { text, lang } of suggestions) {
      const { results } = await search.search({ q: text, k: 1, mode: 'semantic', filter: { lang } });
      expect(results[0]!.text.startsWith(`${text}\n`)).toBe(true);
    }
  });

  test('are questions in any script, in headings or sentences', async () => {
    const questions: [lang: string, question: string, answer: string][] = [
      ['en', 'Why is the sky blue?', 'Air scatters blue light most.'],
      ['es', '¿Cuánto tiempo se conserva el pan?', 'Tres días en una lata.'],
      ['el', 'Πότε φεύγει το πλοίο για το νησί;', 'Φεύγει κάθε πρωί.'],
      ['ar', 'متى تغادر العبارة إلى الجزيرة؟', 'تغادر العبارة كل صباح من الميناء.'],
      ['ja', '船はいつ島へ出発しますか？', '毎朝出発します。'],
      ['am', 'ጀልባው መቼ ነው የሚሄደው፧', 'ጀልባው በየቀኑ ጠዋት ይሄዳል።'],
    ];
    for (const isHeading of [true, false]) {
      const { suggestions } = await suggestionsOf(
        questions.map(([lang, question, answer]) =>
          isHeading
            ? document(lang, lang, [question, answer])
            : document(lang, lang, ['1', `${question} ${answer}`]),
        ),
      );
      expect(new Set(suggestions)).toEqual(new Set(questions.map(([lang, text]) => ({ text, lang }))));
    }
  });

  test('are empty without questions', async () => {
    const { suggestions } = await suggestionsOf([
      document('a', 'en', ['Article 24', 'Bees build their combs of wax.']),
      document('b', 'en', ['Repairing a bicycle tyre', 'Take the wheel off; then the tyre.']),
      document('c', 'en', ['and if it rains on that day?', 'He asked "where are we going?" again.']),
      document('d', 'en', ['Why?', 'What does section 4.2 (and "5") say?']),
    ]);
    expect(suggestions).toEqual([]);
  });

  test('leave out questions that find another passage', async () => {
    const { suggestions } = await suggestionsOf([
      document('a', 'en', [
        'Bees',
        'Is this not strange? Bees build their combs of wax, in six-sided cells.',
      ]),
      document('b', 'en', [
        'Strange things',
        'This is very strange. This is not at all normal, it is strange indeed.',
      ]),
    ]);
    expect(suggestions).toEqual([]);
  });
});

test('a tag is counted with the shorter one that a filter includes it in', () => {
  const counts = countLanguages({ 'en-US': 9, de: 5, en: 4, 'pt-BR': 2, 'pt-PT': 1 });
  expect(Object.entries(counts)).toEqual([
    ['en', 13],
    ['de', 5],
    ['pt-BR', 2],
    ['pt-PT', 1],
  ]);
});
