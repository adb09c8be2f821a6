import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { Languages } from '../../../index/format/languages-file.ts';
import { fieldKey, KEYS, Lookup } from '../../../index/format/lookup-file.ts';
import type { Manifest } from '../../../index/format/manifest.ts';
import { type Filter, type Passage, type Scalar, withTitle } from '../../../index/format/passage.ts';
import { interleave, PART } from '../../../index/format/tokens-file.ts';
import { matching } from '../../../index/search/candidates.ts';
import { mixVectors } from '../../../index/search/question.ts';
import type { Store } from '../../../index/store/store.ts';
import { termsOf } from '../../../index/text/terms.ts';
import { dot, smallModel, temporaryFolder, writeIndex } from '../../fixtures/index.ts';
import { selectionOf } from '../../fixtures/store.ts';
import { answerContract, MODES } from './answer-contract.ts';
import { openEmbedder, QUESTIONS, type StoreContents, storeContents } from './contents.ts';

/** How far a similarity may be from the exact one: the small model's vectors have 64 numbers of 8 bits. */
const NEAR = 2e-3;

/** A store, and what ends it. */
interface OpenedStore {
  store: Store;
  close: () => void | Promise<void>;
}

/**
 * Registers tests that hold for any store. They compare it with the contents of the index that it was made from, and its answers with
 * those of the bundle. A store may number passages and groups of the same text in its own way, and answer all of its methods at any time.
 * @param name of the kind of store, for the titles of the tests
 * @param open makes a store of the index in a folder, and opens it. Called with two indexes: with and without token states
 */
export function storeContract(name: string, open: (index: string) => Promise<OpenedStore>): void {
  describe.each([
    ['with', true],
    ['without', false],
  ])(`${name} %s token states`, (_, hasTokens) => {
    /** A test of what does not depend on token states. */
    const once = test.runIf(hasTokens);
    const index = join(temporaryFolder(), 'index');
    let embedder: QuestionEmbedder;
    let contents: StoreContents;
    let manifest: Manifest;
    let opened: OpenedStore;
    let store: Store;
    /** The store's ordinal of each passage. */
    let ordinals: number[];
    /** Vectors of questions, and one that is shorter than 1. */
    let vectors: Float32Array[];

    beforeAll(async () => {
      embedder = await openEmbedder();
      const { tokens, ...rest } = await storeContents(embedder);
      contents = { ...rest, ...(hasTokens && tokens && { tokens }) };
      manifest = writeIndex(index, smallModel().model, contents);
      opened = await open(index);
      store = opened.store;
      const found = await Promise.all(contents.passages.map(({ id }) => store.lists.ordinal(id)));
      ordinals = found.map((ordinal) => ordinal!);
      vectors = await Promise.all(QUESTIONS.map((text) => embedder.embed(text, 'query')));
      vectors.push(mixVectors(vectors[0]!, vectors[1]!, 0.3));
    });
    afterAll(() => opened.close());

    /** The places of passages in the contents, by their ordinals in the store. */
    const placesOf = (some: Iterable<number>) => Array.from(some, (ordinal) => ordinals.indexOf(ordinal));
    const idsOf = (places: readonly number[]) => places.map((place) => contents.passages[place]!.id).sort();
    /** The ids of the passages under a key, in order of their names. */
    async function listed(key: string): Promise<string[] | undefined> {
      const list = await store.lists.list(key);
      if (!list) return undefined;
      expect([...list.ordinals]).toEqual([...new Set(list.ordinals)].sort((a, b) => a - b));
      return idsOf(placesOf(list.ordinals));
    }

    test('has the version, model, counts, languages and fields of the index', () => {
      const { format: _, files: __, ...rest } = manifest;
      const { version, model, dimensions, counts, languages, fields } = store.manifest;
      expect({ version, model, dimensions, counts, languages, fields }).toEqual(rest);
    });

    once('has a different ordinal for each id, below its size, and none for other texts', async () => {
      for (const ordinal of ordinals) {
        expect(ordinal).toBeGreaterThanOrEqual(0);
        expect(ordinal).toBeLessThan(store.size);
      }
      expect(new Set(ordinals).size).toBe(contents.passages.length);
      const [{ id }] = contents.passages as [Passage];
      for (const other of ['', 'none', '\0', `${id} `, id.slice(1), '𝔭'])
        expect(await store.lists.ordinal(other)).toBeUndefined();
    });

    once('lists the passages with a term, with their scores', async () => {
      const terms = contents.passages.map((passage) => new Set(termsOf(withTitle(passage).text)));
      const all = [...new Set([...terms.flatMap((own) => [...own]), ...QUESTIONS.flatMap(termsOf)])];
      const lookup = new Lookup(join(index, 'lookup.bin'), contents.passages.length);
      // Every fifth, because each may be a request.
      for (const term of all.filter((_, i) => i % 5 === 0)) {
        const key = KEYS.term + term;
        const expected = [...terms.keys()].filter((place) => terms[place]!.has(term));
        expect(await listed(key)).toEqual(expected.length > 0 ? idsOf(expected) : undefined);
        const [list, local] = [await store.lists.list(key), lookup.list(key)];
        const scores = new Map(placesOf(list?.ordinals ?? []).map((place, i) => [place, list!.rest[i]]));
        local?.ordinals.forEach((place, i) => {
          expect(scores.get(place)).toBe(local.rest[i]);
        });
        expect(list?.rest.length).toBe(local?.rest.length);
      }
      lookup.close();
    });

    once('lists the passages with each value of a field', async () => {
      const expected = new Map<string, Set<number>>();
      for (const [place, passage] of contents.passages.entries())
        for (const [field, value] of valuesOf(passage)) {
          const key = fieldKey(field, value);
          expected.set(key, (expected.get(key) ?? new Set()).add(place));
        }
      expect(expected.size).toBeGreaterThan(50);
      for (const [key, places] of expected) expect(await listed(key)).toEqual(idsOf([...places]));
    });

    once('lists the passages with the same text under their group', async () => {
      const rows = await store.rows(ordinals);
      const groups = contents.duplicates!;
      expect(groups.length).toBeGreaterThan(1);
      for (const [place, row] of rows.entries()) {
        const { group } = row.passage();
        const expected = groups.find((one) => one.includes(place));
        expect(group === undefined).toBe(expected === undefined);
        if (expected) expect(await listed(KEYS.duplicates + group)).toEqual(idsOf(expected));
      }
    });

    once.each([
      fieldKey('lang', 'xx'),
      fieldKey('none', 'x'),
      `${KEYS.term}xyzzy`,
      `${KEYS.duplicates}99999`,
    ])('has nothing under the unknown key %j', async (key) =>
      expect(await store.lists.list(key)).toBeUndefined(),
    );

    test('reads passages in the order of their ordinals', async () => {
      const places = [...ordinals.keys()].reverse();
      const rows = await store.rows(places.map((place) => ordinals[place]!));
      expect(rows.map(({ ordinal }) => ordinal)).toEqual(places.map((place) => ordinals[place]));
      const languages = new Map<string, number>();
      for (const [i, place] of places.entries()) {
        const { group: _, ...passage } = rows[i]!.passage();
        expect(passage).toEqual(contents.passages[place]);
        const { language } = rows[i]!;
        expect(languages.get(passage.lang) ?? language).toBe(language);
        languages.set(passage.lang, language);
        expect(() => rows[i]!.similarity()).toThrow('without a vector');
        expect(() => rows[i]!.bestSentence()).toThrow('without a vector');
      }
      expect(new Set(languages.values()).size).toBe(4);
      expect(await store.rows([])).toEqual([]);
    });

    test('compares passages and their sentences with a vector', async () => {
      for (const vector of vectors) {
        const rows = await store.rows(ordinals, vector);
        for (const [place, row] of rows.entries()) {
          expect(Math.abs(row.similarity() - dot(vector, contents.vectors[place]!))).toBeLessThan(NEAR);
          const cosines = contents.sentences[place]!.map(
            (one) => dot(vector, one) / Math.sqrt(dot(one, one)),
          );
          const highest = Math.max(...cosines);
          const { sentence, cosine } = row.bestSentence();
          expect(Math.abs(cosine - highest)).toBeLessThan(NEAR);
          expect(highest - cosines[sentence]!).toBeLessThan(NEAR);
        }
      }
    });

    describe.runIf(hasTokens)('finds the nearest passages, as comparing all does,', () => {
      test.each<[string, Filter | undefined, number?]>([
        ['of all', undefined],
        ['of a language', { lang: 'DE' }],
        ['of two languages', { lang: ['de-at', 'zh'] }],
        ['in a folder', { source: 'en/' }],
        ['with a number', { number: [0, 4] }],
        ['with a boolean', { first: true }],
        ['with several fields', { lang: 'en', tags: ['odd', 'none'], source: ['en/guides/', 'copies/'] }],
        ['of none', { topic: 'none' }],
        ['with values of which none match together', { lang: 'zh', first: false }],
        ['of all that are not left out', undefined, 1],
        ['of a language that are not left out', { lang: 'DE' }, 1],
      ])('%s', async (_, filter, leftOut = 0) => {
        const { lists, manifest, size } = store;
        const without = new Set(ordinals.filter((_, place) => place % 2 < leftOut));
        const matched = filter && (await matching(lists, filter, manifest.fields, size));
        const allowed = [...contents.passages.keys()].filter(
          (place) =>
            !without.has(ordinals[place]!) && (!filter || matches(contents.passages[place]!, filter)),
        );
        const left = (matched?.ordinals ?? ordinals)
          .filter((ordinal) => !without.has(ordinal))
          .sort((a, b) => a - b);
        const selection = leftOut === 0 ? matched : { ...selectionOf(left), filter: filter ?? {}, without };
        expect(selection ? idsOf(placesOf(selection.ordinals)) : idsOf(allowed)).toEqual(idsOf(allowed));
        for (const vector of vectors)
          for (const count of [1, 10, 60, 100]) {
            const found = await store.nearest(vector, count, selection);
            const exact = (place: number) => dot(vector, contents.vectors[place]!);
            const sorted = allowed.map(exact).sort((a, b) => b - a);
            expect(found).toHaveLength(Math.min(count, allowed.length));
            expect(new Set(found.map(({ ordinal }) => ordinal)).size).toBe(found.length);
            for (const { ordinal, similarity } of found) {
              const place = ordinals.indexOf(ordinal);
              expect(allowed).toContain(place);
              expect(Math.abs(similarity - exact(place))).toBeLessThan(NEAR);
              expect(sorted[found.length - 1]! - exact(place)).toBeLessThan(NEAR);
            }
          }
      });
    });

    test.runIf(hasTokens)('reads the token states of passages, byte by byte', async () => {
      const parts = store.manifest.dimensions / PART;
      for (const places of [[...ordinals.keys()].reverse(), [3], []]) {
        const { codes, counts } = await store.tokenCodes(places.map((place) => ordinals[place]!));
        const expected = places.map((place) => contents.tokens![place]!);
        expect([...counts]).toEqual(expected.map((one) => one.length / parts));
        expect(Buffer.compare(codes, Buffer.concat(expected.map((one) => interleave(one, parts))))).toBe(0);
      }
    });

    test.skipIf(hasTokens)('has no token states', async () => {
      await expect(store.tokenCodes([ordinals[0]!])).rejects.toThrow('no token states');
    });

    once.each([1, 2, 5])('finds up to %i passages on either side in the same document', async (context) => {
      const around = await store.around(ordinals, context);
      expect(around).toHaveLength(ordinals.length);
      const { passages, documentOf } = contents;
      const between = (place: number, from: number, to: number) =>
        passages.slice(Math.max(0, from), to).filter((_, i) => {
          return documentOf[Math.max(0, from) + i] === documentOf[place];
        });
      const withoutGroup = ({ group: _, ...passage }: Passage) => passage;
      for (const [place, { before, after }] of around.entries()) {
        expect(before.map(withoutGroup)).toEqual(between(place, place - context, place));
        expect(after.map(withoutGroup)).toEqual(between(place, place + 1, place + 1 + context));
      }
      expect(await store.around([], context)).toEqual([]);
    });

    once('compares a question with the typical passages of the index and of each language', async () => {
      const { passages } = contents;
      const local = new Languages(join(index, 'languages.bin'), store.manifest.dimensions, passages.length);
      const rows = await store.rows(ordinals);
      for (const vector of vectors) {
        const [own, expected] = [store.typicality(vector), local.typicality(vector)];
        expect(own.index).toBeCloseTo(expected.index, 5);
        for (const [place, { language }] of rows.entries())
          expect(own.ofLanguage(language)).toBeCloseTo(expected.ofLanguage(local.languageOf(place)), 5);
      }
    });

    once('counts the documents, and the passages of each language and source', async () => {
      const { documents, languages, sources, suggestions } = await store.overview();
      expect(documents).toBe(store.manifest.counts.documents);
      const { passages } = contents;
      // The index has `de` too, so `de-AT` counts as that.
      expect(languages).toEqual(counted(passages.map(({ lang }) => lang.replace('de-AT', 'de'))));
      const counts = sources.map(({ value, passages }) => ({ value, passages }));
      expect(counts).toEqual(counted(passages.map(({ source }) => source)));
      expect(suggestions).toEqual([]);
    });

    answerContract(() => ({ index, embedder, store }), hasTokens ? MODES : ['hybrid']);
  });
}

/** The values of a passage's fields that a filter may have. */
function valuesOf({ lang, source, metadata = {} }: Passage): [field: string, value: Scalar][] {
  const folders = source.split('/').slice(0, -1);
  return [
    ['lang', lang],
    ['lang', lang.split('-')[0]!],
    ['source', source],
    ...folders.map((_, i): [string, string] => ['source', `${folders.slice(0, i + 1).join('/')}/`]),
    ...Object.entries(metadata).flatMap(([field, value]) =>
      [value].flat().map((one): [string, Scalar] => [field, one]),
    ),
  ];
}

/** Whether a passage matches a filter, by the definition of `Filter`. */
function matches(passage: Passage, filter: Filter): boolean {
  const values = new Set(valuesOf(passage).map(([field, value]) => fieldKey(field, value)));
  return Object.entries(filter).every(([field, wanted]) =>
    [wanted].flat().some((one) => values.has(fieldKey(field, one))),
  );
}

/** Each value with its number of occurrences, most first, and else in order of their code units. */
function counted(values: readonly string[]): { value: string; passages: number }[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, passages]) => ({ value, passages }))
    .sort((a, b) => b.passages - a.passages || (a.value < b.value ? -1 : 1));
}
