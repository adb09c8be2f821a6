import { expect, test } from 'vitest';
import { createApp } from '../../../../functions/search/app.ts';
import { Polyseek } from '../../../../functions/web/client/client.ts';
import { docSearch, docSearchHit } from '../../../../functions/web/client/docsearch.ts';
import type { Result } from '../../../../functions/web/client/types.ts';
import { request } from '../../search/ask.ts';
import { SearchDouble } from '../../search/search-double.ts';

const shown = (value: string) => ({ value, matchLevel: 'full', matchedWords: [] });
const levels = <Value>(first: Value, second: Value, none: Value) => ({
  ...{ lvl0: first, lvl1: second, lvl2: none, lvl3: none, lvl4: none, lvl5: none, lvl6: none },
});

test('answers a request of DocSearch with hits in its shape', async () => {
  const search = new SearchDouble();
  const app = createApp(search, { log: () => {} });
  const fetch: typeof globalThis.fetch = (input, init) => request(app, new URL(String(input)).pathname, init);
  const client = new Polyseek({ url: 'http://localhost', fetch });
  const algolia = { addAlgoliaAgent: () => {}, search: async (_: object): Promise<unknown> => undefined };
  const replaced = docSearch(client, { lang: 'en' })(algolia);
  const asked = { query: 'Passports?', indexName: 'docs', hitsPerPage: 20 };
  const { results } = (await replaced.search({ requests: [asked] })) as { results: { hits: object[] }[] };
  expect(search.requests).toMatchObject([{ q: 'Passports?', matches: true, filter: { lang: 'en' } }]);
  const sentence = '<mark>Passports</mark> are renewed online.';
  const texts = {
    content: shown(sentence),
    hierarchy: levels(shown('Passports'), shown('Renewal'), shown('')),
    hierarchy_camel: [],
  };
  expect(results).toMatchObject([{ index: 'docs', nbHits: results[0]!.hits.length }]);
  expect(results[0]!.hits[0]).toEqual({
    objectID: expect.any(String),
    type: 'content',
    url: 'https://example.org/passports',
    url_without_anchor: 'https://example.org/passports',
    anchor: null,
    content: sentence,
    hierarchy: levels('Passports', 'Renewal', ''),
    _highlightResult: texts,
    _snippetResult: texts,
  });
  expect(replaced.addAlgoliaAgent).toBe(algolia.addAlgoliaAgent);
});

test('gives DocSearch no markup of a document, as it inserts texts as HTML', () => {
  const text = 'A <b>fee</b> & "<script>" is <i>due</i>.';
  const match = (word: string, weight: number) => {
    const start = text.indexOf(word);
    return { query: [0, 1], text: [start, start + word.length], weight } as NonNullable<Result['matches']>[0];
  };
  const hit = docSearchHit({
    ...{ id: '1', text, title: '<img> › <p>', source: 'a.md', lang: 'en', score: 1, confidence: 1 },
    highlight: { text, start: 0, end: text.length },
    matches: [match('<script>', 1), match('fee', 0.5), match('due', 0.1)],
  });
  expect(hit.content).toBe(
    'A &lt;b&gt;<mark>fee</mark>&lt;/b&gt; &amp; &quot;<mark>&lt;script&gt;</mark>&quot; is &lt;i&gt;due&lt;/i&gt;.',
  );
  expect(hit.hierarchy).toEqual(levels('&lt;img&gt;', '&lt;p&gt;', ''));
});
