import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Embedder, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { memoize } from '../../../index/embedding/memoize.ts';
import { readSet } from '../../../index/evaluate/set.ts';
import { PRIOR } from '../../../index/format/languages-file.ts';
import { type Passage, withTitle } from '../../../index/format/passage.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { readTokenCodebook } from '../../../index/format/tokens-file.ts';
import type { Mode, Search, SearchResult } from '../../../index/search/answer.ts';
import { CANDIDATES } from '../../../index/search/candidates.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { ANSWERED } from '../../../index/search/limits.ts';
import { RANKING } from '../../../index/search/rank.ts';
import { bm25Shares } from '../../fixtures/bm25.ts';
import { defaultModel, dot, setFolder, topicsIndex } from '../../fixtures/index.ts';

const LANGUAGES = ['en', 'de', 'zh'];
/** Of so many questions, one is asked. */
const STEP = process.env.ALL_RUNS ? 30 : 120;
const MODES: Mode[] = ['hybrid', 'semantic', 'lexical'];
/** Sentence vectors have 8 bits per number, and BM25 shares are multiples of 1/255. */
const ROUNDING = 0.006;
/** The corrections for languages also depend on which passages are among the best 40. */
const CORRECTION = 0.004;

const { dir, model } = defaultModel();
const { codewords } = readTokenCodebook(join(dir, 'token-codes.bin'), model.dimensions);
let embedder: QuestionEmbedder;
let index: string;
let search: Search;
let passages: Passage[];
let questions: string[];

beforeAll(async () => {
  index = await topicsIndex(LANGUAGES, 'default');
  embedder = memoize(await Embedder.open(dir, { verify: false }));
  search = await openSearch({ index, model: embedder, verify: true });
  const file = new Passages(join(index, 'passages.bin'));
  passages = Array.from({ length: file.count }, (_, ordinal) => file.get(ordinal));
  file.close();
  const sets = await Promise.all(LANGUAGES.map((lang) => readSet(setFolder(lang))));
  questions = sets.flatMap(({ queries }) => queries.filter((_, i) => i % STEP === 0).map(({ text }) => text));
});

/** The text that is embedded and indexed for a passage. */
const titled = (passage: Passage) => withTitle(passage).text;

/** The states of a passage's stored tokens, decoded. */
const decoded = new Map<string, Promise<Float32Array[]>>();
async function decode(passage: Passage): Promise<Float32Array[]> {
  const { codes } = await embedder.byToken!.passage(titled(passage));
  const parts = embedder.model.dimensions / 4;
  return Array.from({ length: codes.length / parts }, (_, token) => {
    const state = new Float32Array(embedder.model.dimensions);
    for (let part = 0; part < parts; part++) {
      const word = 4 * (16 * part + codes[token * parts + part]!);
      state.set(codewords.subarray(word, word + 4), 4 * part);
    }
    return state;
  });
}

/** The weighted similarity of a question's tokens to a passage's, by definition. */
async function tokenSimilarity(question: string, passage: Passage): Promise<number> {
  const { states, weights } = await embedder.byToken!.question(question);
  const known = decoded.get(passage.id) ?? decode(passage);
  decoded.set(passage.id, known);
  const others = await known;
  const { dimensions } = embedder.model;
  return weights.reduce((sum, weight, t) => {
    const state = states.subarray(t * dimensions, (t + 1) * dimensions);
    const similarities = others.map((other) =>
      other.reduce((product, value, i) => product + value * state[i]!, 0),
    );
    return sum + weight * Math.max(...similarities);
  }, 0);
}

/** Exact scores by definition: of the 20 best passages without tokens, and in lexical mode of all. */
interface Exact {
  scores: Map<string, number>;
  /** The passages that are among these 20 whatever the rounding. */
  certain: string[];
}

async function exactScores(question: string, mode: Mode): Promise<Exact> {
  const base = await baseScores(question, mode);
  if (mode === 'lexical') return { scores: base, certain: [...base.keys()] };
  const shares = mode === 'semantic' ? passages.map(() => 0) : bm25Shares(texts(), question);
  const words = passages.map(({ id, lang }, i) => ({ id, lang, share: RANKING.lexicalWeight * shares[i]! }));
  const mean = (some: typeof words) => some.reduce((sum, { share }) => sum + share, 0) / some.length;
  // How much better the words of passages in a language match, where the mean of all counts as one more passage.
  const best = words.sort((a, b) => base.get(b.id)! - base.get(a.id)!).slice(0, RANKING.compared);
  const excess = (language: string) => {
    const own = best.filter(({ lang }) => lang === language);
    return own.length === 0 ? 0 : (own.length / (own.length + 1)) * (mean(own) - mean(best));
  };
  const corrected = words.map(({ id, lang }): [string, number] => [id, base.get(id)! - excess(lang)]);
  const last = corrected.map(([, score]) => score).sort((a, b) => b - a)[RANKING.compared - 1]!;
  const above = (least: number) => corrected.filter(([, score]) => score > least);
  const compared = above(last - ROUNDING).map(async ([id, score]): Promise<[string, number]> => {
    const passage = passages.find((one) => one.id === id)!;
    return [id, score + RANKING.tokenWeight * (await tokenSimilarity(question, passage))];
  });
  return {
    scores: new Map(await Promise.all(compared)),
    certain: above(last + ROUNDING).map(([id]) => id),
  };
}

/** The scores without token states. */
async function baseScores(question: string, mode: Mode): Promise<Map<string, number>> {
  const shares = mode === 'semantic' ? passages.map(() => 0) : bm25Shares(texts(), question);
  if (mode === 'lexical') return new Map(passages.map(({ id }, i) => [id, shares[i]!]));
  const query = await embedder.embed(question, 'query');
  const typicals = await Promise.all(passages.map(({ lang }) => typicalOf(lang)));
  const all = typicals.reduce((sum, row) => sum + dot(query, row), 0) / passages.length;
  const scores = passages.map(async (passage, i): Promise<[string, number]> => {
    const { id, text, sentences } = passage;
    const cosine = async (part: string) => dot(query, await embedder.embed(part, 'passage'));
    const parts = await Promise.all(sentences.map(([start, end]) => cosine(text.slice(start, end))));
    const language = dot(query, typicals[i]!);
    return [
      id,
      (await cosine(titled(passage))) +
        Math.max(...parts) +
        RANKING.lexicalWeight * shares[i]! -
        RANKING.indexWeight * all -
        RANKING.languageWeight * (language - all),
    ];
  });
  return new Map(await Promise.all(scores));
}

const known = new Map<string, Promise<number[]>>();
function typicalOf(language: string): Promise<number[]> {
  const found = known.get(language) ?? typical(language);
  known.set(language, found);
  return found;
}

/** The typical vector of a language, by FORMAT.md: the model's mean counts as PRIOR passages. */
async function typical(language: string): Promise<number[]> {
  const own = passages.filter(({ lang }) => lang === language);
  const embedAll = (parts: string[]) => Promise.all(parts.map((part) => embedder.embed(part, 'passage')));
  const whole = await embedAll(own.map(titled));
  const parts = await embedAll(
    own.flatMap(({ text, sentences }) => sentences.map(([from, to]) => text.slice(from, to))),
  );
  const mean = (vectors: Float32Array[], i: number) =>
    vectors.reduce((sum, one) => sum + one[i]! / vectors.length, 0);
  const n = own.length;
  return embedder.model.mean!.map(
    (prior, i) => (n * (mean(whole, i) + mean(parts, i)) + PRIOR * 2 * prior) / (n + PRIOR),
  );
}

const texts = () => passages.map(titled);

async function ask(
  q: string,
  options: Partial<Parameters<Search['search']>[0]> = {},
): Promise<SearchResult[]> {
  return (await search.search({ q, k: 10, mode: 'hybrid', ...options })).results;
}

test('the fixture is small enough for every passage to be a candidate', () => {
  expect(passages.length).toBeGreaterThan(80);
  expect(passages.length).toBeLessThanOrEqual(CANDIDATES.vector);
});

test.each(MODES)('%s: returns the ten passages with the highest exact scores, in order', async (mode) => {
  for (const question of questions) {
    const { scores, certain } = await exactScores(question, mode);
    const results = await ask(question, { mode });
    const positive = [...scores.values()].filter((score) => score > 0);
    expect(results).toHaveLength(Math.min(10, positive.length));
    const ids = new Set(results.map(({ id }) => id));
    expect(ids.size).toBe(results.length);
    results.forEach(({ id, score }, rank) => {
      expect(Math.abs(score - scores.get(id)!)).toBeLessThan(ROUNDING + CORRECTION);
      if (rank > 0) expect(score).toBeLessThanOrEqual(results[rank - 1]!.score);
    });
    // Passages may swap if their scores differ by less than the rounding.
    const least = results.length < 10 ? 0 : results.at(-1)!.score;
    for (const id of certain) if (!ids.has(id)) expect(scores.get(id)).toBeLessThan(least + ROUNDING);
  }
});

test.each(MODES)(
  '%s: the parts of a score sum to the score, and are returned on request only',
  async (mode) => {
    for (const { score, explain } of await ask(questions[0]!, { mode, explain: true })) {
      const { passage, sentence, lexical, typical, tokens } = explain!;
      expect(passage + sentence + lexical + typical + tokens).toBeCloseTo(score, 12);
      if (mode === 'semantic') expect(explain!.lexical).toBe(0);
      if (mode === 'lexical') expect([explain!.passage, explain!.sentence]).toEqual([0, 0]);
    }
    expect((await ask(questions[0]!, { mode }))[0]).not.toHaveProperty('explain');
  },
);

test.each(MODES)('%s: the highlight is a sentence of the passage, with its offsets', async (mode) => {
  for (const question of questions) {
    for (const { id, text, highlight } of await ask(question, { mode })) {
      const { sentences } = passages.find((passage) => passage.id === id)!;
      expect(sentences).toContainEqual([highlight.start, highlight.end]);
      expect(highlight.text).toBe(text.slice(highlight.start, highlight.end));
    }
  }
});

test.each(MODES)('%s: the highlight answers the question', async (mode) => {
  const [first] = await ask('Once every how many seconds does the white light flash?', { mode });
  expect(first!.highlight.text).toBe('Its white light flashes once every 12 seconds.');
});

test('concurrent questions get the same answers as sequential questions', async () => {
  const concurrent = await openSearch({ index, model: embedder, verify: false });
  const requests = questions.map((q, i) => ({
    q,
    k: 10,
    mode: 'hybrid' as const,
    ...(i % 2 === 1 && { history: [{ role: 'user' as const, content: questions[i - 1]! }] }),
  }));
  const answers = await Promise.all(requests.map((request) => concurrent.search(request)));
  for (const [i, request] of requests.entries())
    expect(answers[i]!.results).toEqual((await search.search(request)).results);
});

test('a result has all fields of its passage except sentences and position', async () => {
  for (const result of await ask(questions[0]!)) {
    const { sentences: _, position: __, ...shown } = passages.find(({ id }) => id === result.id)!;
    expect(result).toMatchObject(shown);
    expect(Object.keys(result).sort()).toEqual(
      [...Object.keys(shown), 'score', 'confidence', 'highlight'].sort(),
    );
  }
});

describe('confidence', () => {
  test('grows with the score, from 0 to 1', async () => {
    for (const mode of MODES) {
      const results = await ask(questions[0]!, { mode, k: 100 });
      results.forEach(({ confidence }, i) => {
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThan(1);
        if (i > 0) expect(confidence).toBeLessThanOrEqual(results[i - 1]!.confidence);
      });
    }
  });

  test('minConfidence drops only results below it', async () => {
    const all = await ask(questions[0]!);
    for (const { confidence } of all) {
      const left = await ask(questions[0]!, { minConfidence: confidence });
      expect(left).toEqual(all.filter((one) => one.confidence >= confidence));
    }
    expect(await ask(questions[0]!, { minConfidence: 1 })).toEqual([]);
  });

  test('a question is answered if the first result reaches minConfidence (default 0.7)', async () => {
    const asked = { k: 3, mode: 'hybrid' as const };
    const answered = await search.search({
      ...asked,
      q: 'How often does the light of the Korvane lighthouse flash?',
    });
    expect(answered.answered).toBe(true);
    expect(answered.results[0]!.confidence).toBeGreaterThanOrEqual(ANSWERED);
    const q = 'Who won the football world cup in 1974?';
    const unanswered = await search.search({ ...asked, q });
    expect(unanswered.answered).toBe(false);
    expect(unanswered.results).toHaveLength(3);
    const { confidence } = unanswered.results[0]!;
    expect((await search.search({ ...asked, q, minConfidence: confidence })).answered).toBe(true);
    expect((await search.search({ ...asked, q, minConfidence: 1 })).answered).toBe(false);
  });

  test('a question without known words has no lexical results and no answer', async () => {
    expect(await search.search({ q: 'xyzzy', k: 3, mode: 'lexical' })).toMatchObject({
      answered: false,
      results: [],
    });
  });
});

describe('context', () => {
  /** The passages around another in its document, by definition. A document starts at position 0. */
  const around = (id: string, context: number) => {
    const self = passages.findIndex((passage) => passage.id === id);
    const first = passages.findLastIndex(({ position }, i) => i <= self && position === 0);
    const next = passages.findIndex(({ position }, i) => i > self && position === 0);
    const end = next === -1 ? passages.length : next;
    const shown = (from: number, to: number) =>
      passages.slice(from, to).map(({ id, text }) => ({ id, text }));
    return {
      before: shown(Math.max(first, self - context), self),
      after: shown(self + 1, Math.min(end, self + 1 + context)),
    };
  };

  test.each([1, 2, 5])(
    'of %i adds surrounding passages of the same document in reading order',
    async (context) => {
      for (const question of questions.slice(0, 10)) {
        for (const { id, before, after } of await ask(question, { context })) {
          expect({ before, after }).toEqual(around(id, context));
        }
      }
      for (const { id } of passages)
        expect(await search.passage(id, context)).toMatchObject(around(id, context));
    },
  );

  test('is added on request only', async () => {
    for (const result of await ask(questions[0]!)) {
      expect(result).not.toHaveProperty('before');
      expect(result).not.toHaveProperty('after');
    }
  });
});

test('passage(id) returns every passage, and undefined for unknown ids', async () => {
  for (const { sentences: _, position: __, ...shown } of passages)
    expect(await search.passage(shown.id)).toEqual(shown);
  for (const id of ['', 'none', passages[0]!.id.slice(1), `${passages[0]!.id} `, '\0']) {
    expect(await search.passage(id)).toBeUndefined();
  }
});

test('a repeated request does not embed its question again', async () => {
  const asked: string[] = [];
  const counting: QuestionEmbedder = {
    model: embedder.model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed(text, kind) {
      asked.push(text);
      return embedder.embed(text, kind);
    },
  };
  const fresh = await openSearch({ index, model: counting, verify: false });
  const request = { q: questions[0]!, k: 3, mode: 'hybrid' as const };
  const { took: _, ...first } = await fresh.search(request);
  const { took, ...again } = await fresh.search({ ...request });
  expect(again).toEqual(first);
  expect(took.embedMs).toBe(0);
  expect(asked).toEqual([request.q]);
  const others = [
    { ...request, k: 2 },
    { ...request, mode: 'semantic' as const },
    { ...request, filter: { lang: 'zh' } },
    { ...request, minConfidence: 1 },
    { ...request, history: [{ role: 'user' as const, content: questions[1]! }] },
  ];
  for (const other of others) {
    asked.length = 0;
    const { results } = await fresh.search(other);
    expect(asked[0]).toBe(other.q);
    expect(results).not.toEqual(first.results);
  }
});
