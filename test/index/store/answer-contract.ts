import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import type {
  Answer,
  ClosableSearch,
  Mode,
  SearchRequest,
  SearchResult,
} from '../../../index/search/answer.ts';
import { IndexSearch, openSearch } from '../../../index/search/index-search.ts';
import { InvalidRequest, type Store } from '../../../index/store/store.ts';
import { QUESTIONS } from './contents.ts';

/** How far scores may be from the bundle's. */
const NEAR = 1e-3;
/** How far what is computed from differences of scores may be: confidences and evidence. */
const ROUGHLY = 0.03;

/** What is compared. */
interface Compared {
  /** Folder of the index. */
  index: string;
  embedder: QuestionEmbedder;
  /** A store made of the same index. */
  store: Store;
}

const OPTIONS: Omit<SearchRequest, 'q' | 'mode'>[] = [
  { k: 10, explain: true },
  { k: 3, context: 2, matches: true, explain: true },
  { k: 5, filter: { lang: ['de', 'zh'], topic: ['lighthouse', 'bread', 'library'] } },
  { k: 20, filter: { source: 'copies/' } },
  { k: 5, filter: { number: 99 } },
  { k: 10, minConfidence: 0.5 },
  { k: 5, explain: true, history: [{ role: 'user', content: QUESTIONS[1]! }] },
];
/** All modes of a search. */
export const MODES: Mode[] = ['hybrid', 'semantic', 'lexical'];

/** Registers tests that compare the answers from a store with those from the bundle. */
export function answerContract(compared: () => Compared, modes = MODES): void {
  describe('answers as the bundle does', () => {
    let bundle: ClosableSearch;
    let search: IndexSearch;
    beforeAll(async () => {
      const { index, embedder, store } = compared();
      bundle = await openSearch({ index, model: embedder, verify: true });
      search = new IndexSearch(embedder, store);
    });
    afterAll(() => bundle.close());

    test.each(modes)('in %s mode, with any options', async (mode) => {
      for (const options of OPTIONS)
        for (const q of QUESTIONS) {
          const request = { q, mode, ...options };
          expectSame(await search.search(request), await bundle.search(request));
        }
    });

    test('to many questions at once', async () => {
      const { embedder, store } = compared();
      const own = new IndexSearch(embedder, store);
      const requests = modes.flatMap((mode) => QUESTIONS.map((q) => ({ q, mode, k: 5, context: 1 })));
      const answers = await Promise.all(requests.map((request) => own.search(request)));
      for (const [i, request] of requests.entries())
        expect(answers[i]!.results).toEqual((await search.search(request)).results);
    });

    test('with single passages, and none for an unknown id', async () => {
      for (const id of ['en-lighthouse-2', 'de/bread#2', 'copy-3', 'register']) {
        const [found, expected] = [await search.passage(id, 2), await bundle.passage(id, 2)];
        expect(expected).toBeDefined();
        expect({ ...found, alsoIn: found!.alsoIn?.length }).toEqual({
          ...expected,
          alsoIn: expected!.alsoIn?.length,
        });
      }
      expect((await search.passage('copy-3'))!.alsoIn).toHaveLength(10);
      expect(await search.passage('none', 2)).toBeUndefined();
    });

    test('with the name and the overview of the index', async () => {
      expect(search.info).toEqual(bundle.info);
      expect(await search.overview()).toEqual(await bundle.overview());
    });

    test('and refuses a filter on an unknown field', async () => {
      const request = { q: 'x', k: 1, mode: 'hybrid', filter: { none: 1 } } as const;
      const refused = search.search(request);
      await expect(refused).rejects.toThrow(InvalidRequest);
      await expect(refused).rejects.toThrow('No passage has the field "none".');
    });
  });
}

/** Compares answers. Results with nearly the same score may be in any order, and of those with the same text any one may be shown. */
function expectSame(found: Answer, expected: Answer): void {
  const { results, took: _, ...rest } = found;
  const { results: others, took: __, ...other } = expected;
  expect(rest).toEqual(other);
  expect(results).toHaveLength(others.length);
  const last = others.at(-1)?.score ?? 0;
  for (const [i, result] of results.entries()) {
    expect(Math.abs(result.score - others[i]!.score)).toBeLessThan(NEAR);
    const same = others.find(({ text }) => text === result.text);
    if (same) expectSameResult(result, same);
    else expect(Math.abs(result.score - last)).toBeLessThan(NEAR);
  }
}

function expectSameResult(found: SearchResult, expected: SearchResult): void {
  const { score, confidence, explain, evidence, alsoIn, ...rest } = found;
  expect(Math.abs(score - expected.score)).toBeLessThan(NEAR);
  expect(Math.abs(confidence - expected.confidence)).toBeLessThan(ROUGHLY);
  expect(alsoIn?.length).toBe(expected.alsoIn?.length);
  for (const [values, others, most] of [
    [explain, expected.explain, NEAR],
    [evidence, expected.evidence, ROUGHLY],
  ] as const) {
    expect(Object.keys(values ?? {})).toEqual(Object.keys(others ?? {}));
    for (const [name, value] of Object.entries(others ?? {}))
      expect(Math.abs(Object(values)[name] - value), name).toBeLessThan(most);
  }
  // Another place of the same text has its own document.
  if (found.id === expected.id) expect({ ...expected, ...rest }).toEqual(expected);
  else expect(alsoIn?.length).toBeGreaterThan(0);
}
