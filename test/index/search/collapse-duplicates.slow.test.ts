import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { Embedder, normalized, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { evaluatePooled } from '../../../index/evaluate/evaluate.ts';
import { Lookup } from '../../../index/format/lookup-file.ts';
import type { Filter, Passage } from '../../../index/format/passage.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import type { Mode, Search } from '../../../index/search/answer.ts';
import { otherPlaces } from '../../../index/search/collapse-duplicates.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { listsOf } from '../../../index/store/bundle-store.ts';
import { lookupFile } from '../../fixtures/files.ts';
import {
  defaultModel,
  gaussian,
  randomContents,
  randomNumbers,
  temporaryFolder,
  writeIndex,
} from '../../fixtures/index.ts';

const PASSAGES = 600;
const folder = temporaryFolder();
const { dir, model } = defaultModel();
const contents = randomContents(PASSAGES, model.dimensions);
const { passages } = contents;
/** A group of more passages than are ranked at first, and many small ones. */
const duplicates = [
  passages.map((_, i) => i).filter((i) => i % 3 === 0),
  ...Array.from({ length: 100 }, (_, i) => [3 * i + 1, 3 * i + 302]),
];
const groupOf = (id: string) => duplicates.find((group) => group.includes(Number(id.slice(1)))) ?? [];

let embedder: Embedder;
let search: Search;
/** The same index without groups. */
let plain: Search;

beforeAll(async () => {
  embedder = await Embedder.open(dir, { verify: false });
  const open = async (name: string, groups: number[][]) => {
    const index = join(folder, name);
    writeIndex(index, model, { ...contents, duplicates: groups });
    return openSearch({ index, model: embedder, verify: true });
  };
  search = await open('groups', duplicates);
  plain = await open('plain', []);
});

describe.each<Mode>(['hybrid', 'semantic', 'lexical'])('%s: duplicates', (mode) => {
  test.each<[number, Filter | undefined]>([
    [1, undefined],
    [10, undefined],
    [100, undefined],
    [10, { lang: 'en' }],
    [10, { lang: ['de', 'zh'], even: true }],
  ])('are shown once, as the best of them, and the list has k = %i: %j', async (k, filter) => {
    const request = { q: 'word1 word2 word3 number', mode, filter };
    const all = (await plain.search({ ...request, k: PASSAGES })).results;
    const expected = all.filter(
      ({ id }, i) => !all.slice(0, i).some((better) => groupOf(better.id).includes(Number(id.slice(1)))),
    );
    const { results } = await search.search({ ...request, k });
    expect(results.map(({ id }) => id)).toEqual(expected.slice(0, k).map(({ id }) => id));
    const listed = new Set((filter ? all : passages).map(({ id }) => id));
    const matching = passages.filter(({ id, lang, metadata }) =>
      filter
        ? [filter.lang].flat().includes(lang) && (filter.even ?? metadata!.even) === metadata!.even
        : listed.has(id),
    );
    for (const { id, alsoIn } of results) {
      const others = matching.filter((one) => one.id !== id && groupOf(id).includes(Number(one.id.slice(1))));
      const places = others.slice(0, 10).map(({ id, title, source, url }) => ({ id, title, source, url }));
      expect(alsoIn).toEqual(places.length > 0 ? places : undefined);
    }
  });
});

test('a passage lists its duplicates', async () => {
  expect((await search.passage('p302'))!.alsoIn).toEqual([
    { id: 'p1', title: 'Title', source: passages[1]!.source, url: undefined },
  ]);
  expect((await search.passage('p0'))!.alsoIn).toHaveLength(10);
  expect(await search.passage('p2')).not.toHaveProperty('alsoIn');
  expect(await search.passage('p302')).not.toHaveProperty('group');
});

test('a group without a record is reported as damage', async () => {
  const path = join(folder, 'lookup.bin');
  writeFileSync(path, lookupFile(new Map([['d7', Uint8Array.of(2, 0, 9)]])));
  const lists = (size: number) => listsOf(new Lookup(path, size));
  const places = (group: number, size = 10) =>
    otherPlaces([{ ordinal: 0, passage: () => ({ ...passages[0]!, group }) }], {
      lists: lists(size),
      rows: async (ordinals) => ordinals.map((ordinal) => ({ ordinal, passage: () => passages[ordinal]! })),
    });
  await expect(places(3)).rejects.toThrow(`${path} is damaged: the group 3 of passages is missing.`);
  const { id, title, source } = passages[9]!;
  expect(await places(7)).toEqual([{ alsoIn: [{ id, title, source, url: undefined }] }]);
  await expect(places(7, 9)).rejects.toThrow('is damaged');
});

test('a build finds the same text in several documents', async () => {
  const document = (source: string, lang: string, text: string): Document => ({
    source,
    lang,
    url: `https://example.org/${source}`,
    blocks: [{ kind: 'paragraph', text }],
  });
  const text = 'The ferry to Vessel Bay sails every morning.';
  const index = join(folder, 'built');
  await buildIndex(
    [
      document('en.md', 'en', text),
      document('bees.md', 'en', 'Bees build their combs of wax.'),
      document('de.md', 'de', `${text} `),
    ],
    index,
    embedder,
    tokenCounter(dir),
  );
  const built = await openSearch({ index, model: embedder, verify: true });
  const { results } = await built.search({ q: 'When does the ferry sail?', k: 2, mode: 'hybrid' });
  expect(results.map(({ source }) => source)[1]).toBe('bees.md');
  const [first, other] = results[0]!.source === 'en.md' ? ['en.md', 'de.md'] : ['de.md', 'en.md'];
  expect(results[0]).toMatchObject({
    source: first,
    alsoIn: [{ source: other, title: other, url: `https://example.org/${other}` }],
  });
});

test('an evaluation counts a relevant passage that is listed as another place', async () => {
  const set = join(folder, 'set');
  mkdirSync(set);
  const lines = (records: object[]) => records.map((record) => JSON.stringify(record)).join('\n');
  const text = 'The ferry to Vessel Bay sails every morning.';
  const queries = ['a', 'b'].map((id) => ({
    id: `q-${id}`,
    lang: 'en',
    text: 'When does the ferry sail?',
    relevant: [id],
  }));
  const all = [
    { id: 'a', lang: 'en', text },
    { id: 'b', lang: 'en', text },
    { id: 'c', lang: 'en', text: 'Bees build combs of wax.' },
  ];
  writeFileSync(join(set, 'passages.jsonl'), lines(all));
  writeFileSync(join(set, 'queries.jsonl'), lines(queries));
  const builder = { embedder, countTokens: tokenCounter(dir), mode: 'hybrid' as const };
  const { r1, questions } = await evaluatePooled(builder, [
    { name: 'set', dir: set, passages: all, queries },
  ]);
  expect({ r1, questions }).toEqual({ r1: 1, questions: 2 });
});

describe('a text with more copies than are ranked', () => {
  const [MANY, K] = [2000, 10];
  const random = randomNumbers(7);
  const question = normalized(gaussian(model.dimensions, random));
  const index = join(folder, 'many');
  const fake: QuestionEmbedder = { model, tokens: () => 1, embed: async () => question };
  /** Many copies of the best text, fewer of the second. All other texts differ. */
  const groups = [MANY, 100].map((size, g) => Array.from({ length: size }, (_, i) => g * MANY + i));
  const groupAt = (i: number) => groups.findIndex((group) => group.includes(i));

  beforeAll(() => {
    const many = randomContents(MANY + 200, model.dimensions);
    const vectors = many.vectors.map((vector, i) => {
      const weight = [3, 1][groupAt(i)] ?? 0;
      return normalized(vector.map((value, d) => value + weight * question[d]!));
    });
    const passages = many.passages.map((passage, i): Passage => {
      const text = ['ferry ferry', 'ferry wax'][groupAt(i)] ?? 'ferry of bees';
      return { ...passage, text, sentences: [[0, text.length]] };
    });
    writeIndex(index, model, { ...many, passages, vectors, duplicates: groups });
  });

  test.each<[Mode, Filter | undefined]>([
    ['hybrid', undefined],
    ['semantic', { lang: ['en', 'de'] }],
    ['lexical', undefined],
  ])('takes one place: %s, %j', async (mode, filter) => {
    const opened = await openSearch({ index, model: fake, verify: false });
    const { results } = await opened.search({ q: 'ferry', k: K, mode, filter });
    const found = results.map(({ id }) => groupAt(Number(id.slice(1))));
    expect(found).toEqual([0, 1, ...Array(K - 2).fill(-1)]);
    expect(results.map(({ alsoIn }) => alsoIn?.length ?? 0)).toEqual([10, 10, ...Array(K - 2).fill(0)]);
    if (filter) for (const { lang } of results) expect(filter.lang).toContain(lang);
  });
});
