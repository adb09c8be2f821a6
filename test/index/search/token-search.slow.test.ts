import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readText } from '../../../index/documents/plain/text.ts';
import { Embedder, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { memoize } from '../../../index/embedding/memoize.ts';
import { plainMatcher } from '../../../index/embedding/token-matcher.ts';
import { readTokenCodebook } from '../../../index/format/tokens-file.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import type { Answer, Search, SearchRequest } from '../../../index/search/answer.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { defaultModel, onnxModel, temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const { dir, model } = defaultModel();
const DOCUMENTS = [
  'The lamp of the lighthouse was lit at dusk.',
  'The boat to the island leaves at noon.',
  'Bread is baked from flour, water and salt.',
  'Tides follow the moon.',
  'The library closes at six on Saturdays.',
].map((text, i) => readText(text, `${i}.txt`));
const QUESTIONS = ['When does the boat leave?', 'Wann schließt die Bibliothek?', '潮汐跟随什么？'];

let embedder: QuestionEmbedder;
beforeAll(async () => {
  embedder = memoize(await Embedder.open(dir, { verify: false }));
});

async function indexOf(count: number): Promise<string> {
  const index = join(folder, `index-${count}`);
  await buildIndex(DOCUMENTS.slice(0, count), index, embedder, tokenCounter(dir), { tokens: 'on' });
  return index;
}

const request = (q: string, options: Partial<SearchRequest> = {}): SearchRequest => ({
  q,
  k: 5,
  mode: 'hybrid',
  explain: true,
  matches: true,
  ...options,
});
const untimed = ({ took: _, ...answer }: Answer) => answer;

test.each([1, 2, 5])(
  'an index of %i passages has finite evidence, and confidences that never rise',
  async (count) => {
    const search = await openSearch({ index: await indexOf(count), model: embedder, verify: true });
    for (const q of [...QUESTIONS, 'ok', '?', '\u200b'])
      for (const mode of ['hybrid', 'semantic'] as const) {
        const { results } = await search.search(request(q, { mode }));
        expect(results).toHaveLength(count);
        let last = 1;
        for (const { confidence, score, evidence } of results) {
          for (const value of [score, ...Object.values(evidence!)]) expect(value).toSatisfy(Number.isFinite);
          expect(confidence).toBeGreaterThanOrEqual(0);
          expect(confidence).toBeLessThanOrEqual(last);
          last = confidence;
        }
      }
  },
);

describe('five passages', () => {
  let index: string;
  let search: Search;
  beforeAll(async () => {
    index = await indexOf(5);
    search = await openSearch({ index, model: embedder, verify: true });
  });

  test('answer the same with the matcher in JavaScript', async () => {
    const { codewords } = readTokenCodebook(join(dir, 'token-codes.bin'), model.dimensions);
    const byToken = { ...embedder.byToken!, match: plainMatcher(codewords) };
    const plain = await openSearch({ index, model: { ...embedder, byToken }, verify: true });
    for (const q of QUESTIONS)
      expect(untimed(await plain.search(request(q)))).toEqual(untimed(await search.search(request(q))));
  });

  test('answer nearly the same with a model that ONNX Runtime runs', async () => {
    const onnx = await openSearch({
      index,
      model: onnxModel().dir,
      verify: true,
    });
    for (const q of QUESTIONS) {
      const [own, other] = [await search.search(request(q)), await onnx.search(request(q))];
      expect(other.results[0]!.id).toBe(own.results[0]!.id);
      for (const { id, score, explain } of other.results) {
        const same = own.results.find((result) => result.id === id)!;
        expect(Math.abs(score - same.score)).toBeLessThan(0.03);
        expect(Math.abs(explain!.tokens - same.explain!.tokens)).toBeLessThan(0.02);
      }
    }
  });

  test('have the tokens of a question without tokens neither for nor against them', async () => {
    const { results } = await search.search(request('\u200b'));
    for (const { explain, matches } of results) {
      expect(explain!.tokens).toBe(0);
      expect(matches).toEqual([]);
    }
  });

  test('are less certain by the probability that the question asks nothing', async () => {
    const changed = (intercept: number | undefined) => {
      const { asks: _, ...rest } = model.calibration;
      const asks =
        intercept === undefined ? undefined : { weights: Array(model.dimensions).fill(0), intercept };
      return openSearch({
        index,
        model: { ...embedder, model: { ...model, calibration: { ...rest, asks } } },
        verify: true,
      });
    };
    const [gated, open] = [await changed(Math.log(3)), await changed(undefined)];
    for (const mode of ['hybrid', 'semantic', 'lexical'] as const) {
      const asked = request('When does the boat leave?', { mode });
      const [own, other] = [await gated.search(asked), await open.search(asked)];
      expect(own.results.length).toBeGreaterThan(0);
      own.results.forEach(({ id, confidence }, i) => {
        expect(id).toBe(other.results[i]!.id);
        expect(confidence).toBeCloseTo(0.75 * other.results[i]!.confidence, 6);
      });
    }
  });

  test('are no answer to small talk, alone or after a good answer', async () => {
    const history = [
      { role: 'user' as const, content: 'When does the boat to the island leave?' },
      { role: 'assistant' as const, content: 'The boat to the island leaves at noon.' },
    ];
    expect((await search.search(request(history[0]!.content))).verdict).toBe('answered');
    for (const q of ['thanks', 'ok', 'Danke!', 'Merci beaucoup', 'спасибо', '谢谢', 'bye', '👍', 'hello'])
      for (const options of [{}, { history }]) {
        const { verdict } = await search.search(request(q, options));
        expect(verdict, `${q} ${JSON.stringify(options)}`).not.toBe('answered');
      }
  });
});
