import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readJsonLines } from '../../index/documents/records/json-lines.ts';
import { root } from '../fixtures/index.ts';

interface Question {
  id: string;
  lang: string;
  text: string;
  split: 'dev' | 'test';
  answers: { source: string; contains: string }[];
}

const folder = join(root, 'test/quality/real');
const collections = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The questions of each collection. */
const questions = new Map<string, Question[]>();

beforeAll(async () => {
  for (const name of collections) {
    const read: Question[] = [];
    for await (const { record } of readJsonLines(join(folder, name, 'questions.jsonl')))
      read.push(record as unknown as Question);
    questions.set(name, read);
  }
});

const all = () => [...questions.values()].flat();

/** How many more of the questions are in `dev` than in `test`. */
const surplus = (some: Question[]) => some.reduce((sum, { split }) => sum + (split === 'dev' ? 1 : -1), 0);

test('there are three collections', () => {
  expect(collections).toEqual(['gimp', 'gnucash', 'lilypond']);
});

describe.each(collections)('%s', (name) => {
  test('has at least 30 questions with an answer and 30 without, in equal halves', () => {
    const [answerable, unanswerable] = [true, false].map((wanted) =>
      questions.get(name)!.filter(({ answers }) => answers.length > 0 === wanted),
    );
    for (const some of [answerable!, unanswerable!]) {
      expect(some.length).toBeGreaterThanOrEqual(30);
      expect(Math.abs(surplus(some))).toBeLessThanOrEqual(1);
    }
  });

  test('has pages in at least three languages, and no page in all of them', () => {
    const languages = readdirSync(join(folder, name, 'documents'));
    expect(languages.length).toBeGreaterThanOrEqual(3);
    const pages = languages.flatMap((lang) =>
      readdirSync(join(folder, name, 'documents', lang)).map((file) => file.replace(`.${lang}.`, '.')),
    );
    for (const page of new Set(pages))
      expect(pages.filter((other) => other === page).length, page).toBeLessThan(languages.length);
  });

  test('names a free licence of its documents', () => {
    expect(readFileSync(join(folder, name, 'copyright'), 'utf8')).toMatch(
      /^License: GFDL-(?:NIV-)?1\.[123]\+$/m,
    );
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`| \`${name}\` |`);
  });
});

describe('the questions', () => {
  test('have an id, a language, a text, a half and answers', () => {
    for (const question of all()) {
      expect(Object.keys(question)).toEqual(['id', 'lang', 'text', 'split', 'answers']);
      expect(['dev', 'test']).toContain(question.split);
      expect(Intl.getCanonicalLocales(question.lang)).toEqual([question.lang]);
      for (const { contains } of question.answers) {
        expect(contains.length, contains).toBeGreaterThanOrEqual(20);
        expect(contains.length, contains).toBeLessThanOrEqual(130);
        expect(contains).toBe(contains.replace(/\s+/g, ' ').trim());
      }
    }
  });

  test('have ids and texts that occur once', () => {
    expect(new Set(all().map(({ id }) => id)).size).toBe(all().length);
    expect(new Set(all().map(({ text }) => text)).size).toBe(all().length);
  });

  test('are in at least 20 languages, each in equal halves', () => {
    const languages = new Set(all().map(({ lang }) => lang));
    expect(languages.size).toBeGreaterThanOrEqual(20);
    for (const lang of languages)
      expect(Math.abs(surplus(all().filter((question) => question.lang === lang))), lang).toBeLessThanOrEqual(
        1,
      );
  });

  test('need search across languages: at most a tenth has an answer in its own language', () => {
    const answerable = all().filter(({ answers }) => answers.length > 0);
    const own = answerable.filter(({ lang, answers }) =>
      answers.some(({ source }) => source.startsWith(`${lang}/`)),
    );
    expect(own.length).toBeLessThanOrEqual(answerable.length / 10);
  });
});
