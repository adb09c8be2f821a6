import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../fixtures/index.ts';

interface Question {
  id: string;
  lang: string;
  text: string;
  kind: string;
  split: string;
  answers: { source: string; contains: string }[];
  /** For a question without an answer: terms that were looked up in the documents. */
  checked?: string[];
}

interface Collection {
  name: string;
  split: string;
}

const bank = join(root, 'test/quality/bank');
const collections: Collection[] = JSON.parse(readFileSync(join(bank, 'documents.json'), 'utf8'));
const read = (name: string): Question[] =>
  readFileSync(join(bank, name, 'questions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const KINDS = ['short', 'long', 'keywords', 'typo', 'identifier', 'colloquial', 'number', 'name'];

describe.each(collections)('the questions about $name', ({ name, split }) => {
  const questions = read(name);

  test('have ids and texts of their own, and the split of their collection', () => {
    expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
    expect(new Set(questions.map(({ text }) => text)).size).toBe(questions.length);
    expect(questions.filter((one) => one.split !== split || !one.id.startsWith(`${name}-`))).toEqual([]);
  });

  test('have a kind, a language, and answers or terms that were looked up', () => {
    const wrong = questions.filter(
      ({ kind, lang, answers, checked = [] }) =>
        !KINDS.includes(kind) ||
        !/^[a-z]{2,3}(-[A-Z]{2})?$/.test(lang) ||
        (answers.length === 0 && checked.length === 0) ||
        answers.some(({ source, contains }) => source === '' || contains.trim().length < 12),
    );
    expect(wrong).toEqual([]);
  });

  // The documents are in packages, which test/quality/bank/fetch.ts downloads.
  test.skipIf(!existsSync(join(root, 'build/bank', name)))('name documents that exist', () => {
    const folder = join(root, 'build/bank', name, 'documents');
    const files = new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' }));
    const sources = new Set(questions.flatMap(({ answers }) => answers.map(({ source }) => source)));
    expect([...sources].filter((source) => !files.has(source))).toEqual([]);
  });
});

test('the bank has enough questions of each split, with and without an answer, in many languages', () => {
  const all = collections.flatMap(({ name }) => read(name));
  const answerable = all.filter(({ answers }) => answers.length > 0);
  expect(answerable.length).toBeGreaterThanOrEqual(5000);
  expect(all.length - answerable.length).toBeGreaterThanOrEqual(1500);
  expect(new Set(all.map(({ lang }) => lang)).size).toBeGreaterThanOrEqual(20);
  for (const split of ['learn', 'choose', 'report'])
    expect(answerable.filter((one) => one.split === split).length).toBeGreaterThanOrEqual(1000);
});
