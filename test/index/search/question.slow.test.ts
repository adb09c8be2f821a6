import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import type { Answer, Mode, Search, SearchRequest, Turn } from '../../../index/search/answer.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { contextualQuery } from '../../../index/search/question.ts';
import { defaultModel, topicsIndex } from '../../fixtures/index.ts';
import { post, request } from '../../functions/search/ask.ts';

const MODES: Mode[] = ['hybrid', 'semantic', 'lexical'];
const user = (content: string): Turn => ({ role: 'user', content });
const assistant = (content: string): Turn => ({ role: 'assistant', content });

describe('contextualQuery', () => {
  test('contains the question and the last exchange, but no older turns', () => {
    const exchange = [user('How long is the Quessa Line?'), assistant('84 kilometres.')];
    const text = 'And Osmer? How long is the Quessa Line? 84 kilometres.';
    expect(contextualQuery('And Osmer?', exchange)?.text).toBe(text);
    expect(contextualQuery('And Osmer?', [user('Hello'), assistant('Hello!'), ...exchange])?.text).toBe(text);
    expect(contextualQuery('And Osmer?', exchange.slice(0, 1))?.text).toBe(
      'And Osmer? How long is the Quessa Line?',
    );
    expect(contextualQuery('And Osmer?', exchange.slice(1))?.text).toBe('And Osmer? 84 kilometres.');
  });

  test('ignores the question at the end of the history', () => {
    const history = [user('Is it far?'), assistant('No.')];
    expect(contextualQuery('And now?', [...history, user(' And now? ')])).toEqual(
      contextualQuery('And now?', history),
    );
    expect(contextualQuery('And now?', [user('And now?')])).toBeUndefined();
    expect(contextualQuery('And now?', [])).toBeUndefined();
  });

  test('has half the weight up to four terms, and less weight with each further term', () => {
    const history = [user('Is it far?')];
    const shares = Array.from({ length: 12 }, (_, i) => contextualQuery('ab '.repeat(i + 1), history)!.share);
    expect(shares.slice(0, 4)).toEqual([0.5, 0.5, 0.5, 0.5]);
    // A weight of 4 / 8, compared with 1.
    expect(shares[7]).toBeCloseTo(1 / 3, 12);
    for (let i = 4; i < shares.length; i++) expect(shares[i]).toBeLessThan(shares[i - 1]!);
    expect(contextualQuery('?', history)!.share).toBe(0.5);
  });

  test('contains text of bounded length for any history', () => {
    const turn = fc.record({
      role: fc.constantFrom('user' as const, 'assistant' as const),
      content: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ minLength: 150, maxLength: 400, unit: 'binary' }),
      ),
    });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(turn), (question, history) => {
        const found = contextualQuery(question, history);
        if (!found) return;
        expect(found.text.startsWith(`${question} `)).toBe(true);
        expect(found.text.length).toBeLessThanOrEqual(question.length + 1 + 200 + 1 + 200);
        expect(found.share).toBeGreaterThan(0);
        expect(found.share).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});

describe('a search with a history', () => {
  let search: Search;

  beforeAll(async () => {
    search = await openSearch({
      index: await topicsIndex(['en', 'de'], 'default'),
      model: defaultModel().dir,
      verify: false,
    });
  });

  const ask = (q: string, options: Partial<SearchRequest> = {}): Promise<Answer> =>
    search.search({ q, k: 100, mode: 'hybrid', explain: true, ...options });
  const titles = ({ results }: Answer) => results.map(({ title }) => title);

  const lighthouse = [
    user('Can visitors go up the Draumness lighthouse?'),
    assistant('Yes, on Sundays in summer.'),
  ];

  test.each([
    ['What do they eat?', [user('What is the copper lantern beetle?')], /Copper lantern/],
    [
      'can I bring my bike?',
      [user('Does the Lenkart Line have beds?'), assistant('Yes, in cabins.')],
      /Lenkart/,
    ],
    ['Wie kommt man dorthin?', [user('Wann wurde der Leuchtturm Selmora gebaut?')], /Selmora/],
    ['Was zieht man da an?', [user('When does the Sovara Drum Festival begin?')], /Sovara/],
  ])('%s finds the topic of the conversation, but only with the history', async (query, history, title) => {
    const answer = await ask(query, { history });
    expect(titles(answer)[0]).toMatch(title);
    expect(titles(await ask(query))[0]).not.toMatch(title);
    expect(answer.q).toBe(query);
    expect(answer.searchedFor).toEqual(contextualQuery(query, history));
  });

  test('a question on a new topic finds the same with and without the history', async () => {
    for (const [query, title] of [
      ['Why should Corbadol tablets not be kept in the bathroom?', /Corbadol/],
      ['Korvane granite', /Korvane/],
      ['Wie viele Tunnel hat die Osmer-Linie?', /Osmer/],
    ] as const) {
      expect(titles(await ask(query))[0]).toMatch(title);
      expect(titles(await ask(query, { history: lighthouse }))[0]).toMatch(title);
    }
  });

  test.each(MODES)("%s: scores are the weighted mean of both texts' scores", async (mode) => {
    const query = 'and how many steps?';
    const { text, share } = contextualQuery(query, lighthouse)!;
    const parts = async (asked: string, history?: Turn[]) => {
      const { results } = await ask(asked, { mode, history });
      return new Map(results.map(({ id, score, explain }) => [id, { ...explain!, score }]));
    };
    const [alone, within, mixed] = await Promise.all([parts(query), parts(text), parts(query, lighthouse)]);
    const none = { passage: 0, sentence: 0, lexical: 0, tokens: 0, typical: 0, score: 0 };
    expect(mixed.size).toBeGreaterThan(1);
    for (const [id, found] of mixed) {
      const [own, other] = [alone.get(id) ?? none, within.get(id) ?? none];
      const sum = (part: keyof typeof none) => (1 - share) * own[part] + share * other[part];
      // The typical part also corrects for languages, which depends on the best passages of each search.
      for (const part of ['passage', 'lexical', 'tokens'] as const) {
        expect(found[part]).toBeCloseTo(sum(part), 5);
      }
      // The best sentence for both texts together may score lower than the best sentence for each.
      expect(found.sentence).toBeLessThanOrEqual(sum('sentence') + 1e-5);
      const { passage, sentence, lexical, typical, tokens } = found;
      expect(passage + sentence + lexical + typical + tokens).toBeCloseTo(found.score, 12);
    }
  });

  test('an empty history, or a history of only the question, changes nothing', async () => {
    const { took: _, ...alone } = await ask('How many steps?');
    for (const history of [[], [user('How many steps?')]]) {
      const { took: __, ...answer } = await ask('How many steps?', { history });
      expect(answer).toEqual(alone);
      expect(answer).not.toHaveProperty('searchedFor');
    }
  });

  test('works over HTTP with POST', async () => {
    const app = createApp(search, { log: () => {} });
    const body = { q: 'and how many steps?', history: lighthouse, lang: 'en', k: 1 };
    const answer = await (await request(app, '/search', post(body))).json();
    expect(answer).toMatchObject({
      q: body.q,
      searchedFor: { text: expect.stringMatching(/^and how many steps\? Can visitors/), share: 0.5 },
      results: [{ title: expect.stringMatching(/Draumness/), lang: 'en' }],
    });
  });
});
