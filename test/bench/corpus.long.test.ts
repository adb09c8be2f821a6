import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TextEmbedder } from '../../index/embedding/embedder.ts';
import { tokenCounter } from '../../index/ingest/build.ts';
import { defaultModel, temporaryFolder } from '../fixtures/index.ts';
import { declarations, heldOutQuestions, passagesOf, questionMaker, recombined } from './corpus.ts';
import { CachedVectors } from './vectors.ts';

const { dir, model } = defaultModel();
const countTokens = tokenCounter(dir);

test('declarations returns documents for the requested number of passages', async () => {
  for (const count of [1, 100, 137])
    expect(passagesOf(await declarations(count, countTokens), countTokens)).toHaveLength(count);
});

test('recombined documents are distinct single passages, and a shorter list is the start of a longer one', async () => {
  const documents = await recombined(1500, countTokens);
  const passages = passagesOf(documents, countTokens);
  expect(passages).toHaveLength(1500);
  expect(new Set(passages.map(({ lang, text }) => lang + text)).size).toBe(1500);
  expect(passages.map(({ id }) => id)).toEqual(documents.map(({ id }) => id));
  expect(await recombined(200, countTokens)).toEqual(documents.slice(0, 200));
  // Passages share sentences, and each sentence is embedded once.
  const sentences = passages.flatMap(({ text, sentences }) =>
    sentences.map(([from, to]) => text.slice(from, to)),
  );
  expect(new Set(sentences).size).toBeLessThan(0.9 * sentences.length);
});

test('no passage contains a held-out question', async () => {
  const questions = await heldOutQuestions(countTokens);
  expect(new Set(questions).size).toBe(200);
  const documents = [...(await declarations(1500, countTokens)), ...(await recombined(2000, countTokens))];
  const text = documents.flatMap(({ blocks }) => blocks.map((block) => block.text)).join('\n');
  expect(questions.filter((question) => text.includes(question))).toEqual([]);
});

test.each([4, 12, 40, 200])(
  'questions of %i tokens have exactly that many, and are distinct',
  async (tokens) => {
    const question = await questionMaker(countTokens, 1);
    const questions = Array.from({ length: 200 }, () => question(tokens));
    expect(new Set(questions).size).toBe(200);
    for (const text of questions) expect(countTokens(text)).toBe(tokens);
  },
);

test('cached vectors are embedded once, and survive a kill during writing', async () => {
  const file = join(temporaryFolder(), 'vectors.bin');
  const embedded: string[] = [];
  const embedder: TextEmbedder = {
    model,
    async embed(text, kind) {
      embedded.push(`${kind} ${text}`);
      return new Float32Array(model.dimensions).fill(text.length).fill(kind === 'query' ? 1 : 2, 1);
    },
  };
  const first = new CachedVectors(embedder, file);
  const [a, again, query] = await Promise.all([
    first.embed('a', 'passage'),
    first.embed('a', 'passage'),
    first.embed('a', 'query'),
  ]);
  expect(again).toBe(a);
  expect(query).not.toEqual(a);
  expect(first.asked.size).toBe(2);
  first.flush();
  appendFileSync(file, 'part of a record');
  const second = new CachedVectors(embedder, file);
  expect(await second.embed('a', 'passage')).toEqual(a);
  expect(await second.embed('a', 'query')).toEqual(query);
  await second.embed('b', 'query');
  second.flush();
  const third = new CachedVectors(embedder, file);
  expect((await third.embed('b', 'query'))[0]).toBe(1);
  expect(embedded).toEqual(['passage a', 'query a', 'query b']);
});
