import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Document } from '../../index/documents/document.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import { buildIndex, tokenCounter } from '../../index/ingest/build.ts';
import type { Match, Search } from '../../index/search/answer.ts';
import { openSearch } from '../../index/search/index-search.ts';
import { defaultModel, root, temporaryFolder } from '../fixtures/index.ts';

// Thresholds are slightly below the measurements. A regression fails, but another processor does not.

interface Item {
  id: string;
  question: string;
  questionLang: string;
  text: string;
  textLang: string;
  pairs: { query: string; text: string }[];
}

const items = readFileSync(join(root, 'test/quality/aligned-words/pairs.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Item);

const { dir } = defaultModel();
const index = join(temporaryFolder(), 'index');
let parallel: ParallelEmbedder;
let search: Search;
beforeAll(async () => {
  parallel = new ParallelEmbedder(dir);
  const documents = items.map(
    ({ id, text, textLang }): Document => ({
      source: id,
      title: '',
      lang: textLang,
      metadata: {},
      blocks: [{ kind: 'paragraph', text }],
    }),
  );
  await buildIndex(documents, index, parallel, tokenCounter(dir), { tokens: 'on' });
  search = await openSearch({ index, model: parallel, verify: true });
});
afterAll(() => parallel.close());

type Range = [start: number, end: number];

function rangeOf(text: string, part: string): Range {
  const start = text.indexOf(part);
  expect(start, `${part} in ${text}`).toBeGreaterThanOrEqual(0);
  return [start, start + part.length];
}

const overlap = ([start, end]: Range, [from, to]: Range) => start < to && end > from;

/** Asks an item's question about its own text. */
async function matchesOf({ id, question, text }: Item): Promise<Match[]> {
  const { results } = await search.search({
    q: question,
    k: 1,
    mode: 'hybrid',
    matches: true,
    filter: { source: id },
  });
  expect(results[0]!.text).toBe(text);
  return results[0]!.matches!;
}

test('of 265 pairs of translated words, at least .86 are matches, and .95 of the matches of these words are right', async () => {
  const counts = new Map<string, { pairs: number; found: number; matches: number; right: number }>();
  for (const item of items) {
    const matches = await matchesOf(item);
    const direction = `${item.questionLang}-${item.textLang}`;
    const count = counts.get(direction) ?? { pairs: 0, found: 0, matches: 0, right: 0 };
    counts.set(direction, count);
    for (const pair of item.pairs) {
      const [query, text] = [rangeOf(item.question, pair.query), rangeOf(item.text, pair.text)];
      const own = matches.filter((match) => overlap(match.query, query));
      const right = own.filter((match) => overlap(match.text, text));
      count.pairs++;
      count.found += Number(right.length > 0);
      count.matches += own.length;
      count.right += right.length;
    }
  }
  const all = [...counts.values()].reduce((a, b) => ({
    pairs: a.pairs + b.pairs,
    found: a.found + b.found,
    matches: a.matches + b.matches,
    right: a.right + b.right,
  }));
  for (const [direction, { pairs, found, matches, right }] of [...counts, ['all', all] as const])
    console.log(
      `${direction}: recall ${(found / pairs).toFixed(3)} of ${pairs}, precision ${(right / matches).toFixed(3)} of ${matches}`,
    );
  expect(counts.size).toBeGreaterThanOrEqual(8);
  expect(all.found / all.pairs).toBeGreaterThanOrEqual(0.86);
  expect(all.right / all.matches).toBeGreaterThanOrEqual(0.95);
});

test('matches are whole words within both texts, best first, with weights of at most 1 in sum', async () => {
  for (const item of items.filter((_, i) => i % 3 === 0)) {
    const matches = await matchesOf(item);
    for (const [at, { query, text, weight }] of matches.entries()) {
      for (const [[start, end], whole] of [
        [query, item.question],
        [text, item.text],
      ] as const) {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(whole.length);
        expect(whole.slice(start, end)).toMatch(/[\p{L}\p{N}]/u);
        expect(whole.slice(start, end)).toBe(whole.slice(start, end).trim());
      }
      expect(weight).toBeGreaterThan(0);
      if (at > 0) expect(weight).toBeLessThanOrEqual(matches[at - 1]!.weight);
    }
    expect(matches.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(1 + 1e-6);
    expect(new Set(matches.map(({ query, text }) => `${query} ${text}`)).size).toBe(matches.length);
  }
});

test('a history changes the weights of matches only', async () => {
  for (const { id, question } of items.filter((_, i) => i % 10 === 0)) {
    const request = { q: question, k: 1, mode: 'hybrid', matches: true, filter: { source: id } } as const;
    const [alone] = (await search.search(request)).results;
    const history = [{ role: 'user', content: 'Where is the lighthouse?' } as const];
    const [inContext] = (await search.search({ ...request, history })).results;
    const words = (matches: Match[]) => matches.map(({ query, text }) => `${query} ${text}`).sort();
    expect(words(inContext!.matches!)).toEqual(words(alone!.matches!));
    const sum = inContext!.matches!.reduce((total, { weight }) => total + weight, 0);
    expect(sum).toBeLessThan(1);
  }
});
