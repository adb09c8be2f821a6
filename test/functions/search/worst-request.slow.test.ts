import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import type { App } from '../../../functions/search/http.ts';
import { Embedder, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { readSet } from '../../../index/evaluate/set.ts';
import { Lookup } from '../../../index/format/lookup-file.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { LIMITS } from '../../../index/search/limits.ts';
import {
  defaultModel,
  randomContents,
  randomTokens,
  setFolder,
  temporaryFolder,
  writeIndex,
} from '../../fixtures/index.ts';
import { post, request } from './ask.ts';

/** The model reads this character as five tokens. */
const SQUARE = '\u331a';
const history = [
  { role: 'user', content: SQUARE.repeat(200) },
  { role: 'assistant', content: SQUARE.repeat(50) },
];

const index = join(temporaryFolder(), 'index');
let embedder: Embedder;
let app: App;
/** The work of a test's requests: encoded tokens, and read bytes of postings, records and passages. */
let work: { tokens: number; bytes: number; records: number; passages: number };

beforeAll(async () => {
  const { dir, model } = defaultModel();
  const tokens = randomTokens(3000, model.dimensions);
  writeIndex(index, model, { ...randomContents(3000, model.dimensions), tokens });
  embedder = await Embedder.open(dir, { verify: false });
  const counting: QuestionEmbedder = {
    model: embedder.model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed(text, kind) {
      work.tokens += embedder.tokens(text, kind);
      return embedder.embed(text, kind);
    },
    byToken: {
      ...embedder.byToken!,
      question(text) {
        work.tokens += embedder.tokens(text, 'query');
        return embedder.byToken!.question(text);
      },
    },
  };
  app = createApp(await openSearch({ index, model: counting, verify: false }), { log: () => {} });
});

beforeEach(() => {
  work = { tokens: 0, bytes: 0, records: 0, passages: 0 };
  const { get } = Lookup.prototype;
  vi.spyOn(Lookup.prototype, 'get').mockImplementation(function (this: Lookup, key) {
    const record = get.call(this, key);
    work.records++;
    work.bytes += record?.length ?? 0;
    return record;
  });
  const { get: getPassage } = Passages.prototype;
  vi.spyOn(Passages.prototype, 'get').mockImplementation(function (this: Passages, ordinal) {
    work.passages++;
    return getPassage.call(this, ordinal);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function ask(
  body: object,
): Promise<{ status: number; detail?: string; searchedFor?: { text: string } }> {
  const response = await request(app, '/search', post(body));
  return { status: response.status, ...((await response.json()) as object) };
}

describe('a question', () => {
  test.each(['hybrid', 'semantic', 'lexical'])(
    'of too many tokens is refused before embedding in mode %s',
    async (mode) => {
      const answer = await ask({ q: SQUARE.repeat(2000), history, mode });
      expect(answer).toMatchObject({
        status: 400,
        detail: 'The question has 10,006 tokens, but 256 is the limit. Ask a shorter question.',
      });
      expect(work).toEqual({ tokens: 0, bytes: 0, records: 0, passages: 0 });
    },
  );

  test('at the token limit is answered, and one more token is refused', async () => {
    const longest = 'law '.repeat(LIMITS.questionTokens - embedder.tokens('', 'query')).trim();
    expect(embedder.tokens(longest, 'query')).toBe(LIMITS.questionTokens);
    expect(await ask({ q: longest })).toMatchObject({ status: 200 });
    expect(work.tokens).toBe(LIMITS.questionTokens);
    expect(await ask({ q: `${longest} law` })).toMatchObject({
      status: 400,
      detail: 'The question has 257 tokens, but 256 is the limit. Ask a shorter question.',
    });
  });

  test.each([1, 5, 10, 24, 25, 26, 40, 50])(
    'of %i characters with five tokens each stays within the limit together with its history',
    async (count) => {
      const q = SQUARE.repeat(count);
      const { status, searchedFor } = await ask({ q, history });
      expect(status).toBe(200);
      expect(work.tokens).toBeLessThanOrEqual(LIMITS.questionTokens);
      // The history is truncated to the limit.
      const left = LIMITS.questionTokens - 2 * embedder.tokens(q, 'query');
      const added = searchedFor
        ? embedder.tokens(searchedFor.text, 'query') - embedder.tokens(q, 'query')
        : 0;
      if (left >= 10) expect(added).toBeGreaterThan(left - 10);
      else expect(searchedFor).toBeUndefined();
    },
  );

  test('that is short includes all of the last exchange', async () => {
    const turn = 'Opening hours of the lighthouse. '.repeat(7).slice(0, 200);
    const { searchedFor } = await ask({ q: 'And in winter?', history: [{ role: 'user', content: turn }] });
    expect(searchedFor!.text).toBe(`And in winter? ${turn}`);
  });

  test.each(['ar', 'de', 'en', 'fr', 'hi', 'zh'])('of the set %s is far below the limit', async (lang) => {
    const { queries } = await readSet(setFolder(lang));
    const most = Math.max(...queries.map(({ text }) => embedder.tokens(text, 'query')));
    expect(most).toBeLessThan(LIMITS.questionTokens / 4);
  });
});

describe('a filter', () => {
  const q = 'word1';

  test.each([
    ['lang', 'en', 'EN'],
    ['source', 'folder1/', 'folder1/'],
    ['number', 3, '3'],
  ])('on %s reads a repeated value once', async (field, value, same) => {
    expect(await ask({ q, filter: { [field]: value } })).toMatchObject({ status: 200 });
    const once = { ...work };
    work = { tokens: 0, bytes: 0, records: 0, passages: 0 };
    const values = Array.from({ length: LIMITS.filterValues }, (_, i) => (i % 2 ? value : same));
    const { status } = await ask({ q, filter: { [field]: values } });
    expect({ status, ...work }).toEqual({ status: 200, ...once });
  });

  test('of too many values is refused before any search', async () => {
    const many = Array.from({ length: 10_000 }, () => 'en');
    const expected = { status: 400, detail: 'lang has 10,000 values, but 100 is the limit.' };
    expect(await ask({ q, lang: many })).toMatchObject(expected);
    expect(await ask({ q, filter: { lang: many } })).toMatchObject({
      status: 400,
      detail: 'filter.lang has 10,000 values, but 100 is the limit.',
    });
    const parameters = new URLSearchParams([['q', q], ...many.map((tag): [string, string] => ['lang', tag])]);
    const response = await request(app, `/search?${parameters}`);
    expect(await response.json()).toMatchObject(expected);
    expect(work.records).toBe(0);
  });
});

test('the longest answer reads each result twice and each surrounding passage once', async () => {
  expect(
    await ask({ q: 'word1', k: 100, context: 5, explain: true, matches: true, maxCharacters: 1_000_000 }),
  ).toMatchObject({
    status: 200,
  });
  expect(work.passages).toBeLessThanOrEqual(100 * (2 + 2 * LIMITS.context.max));
});
