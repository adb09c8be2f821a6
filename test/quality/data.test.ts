import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../fixtures/index.ts';

interface Phrase {
  lang: string;
  text: string;
}

interface AlignedItem {
  id: string;
  question: string;
  questionLang: string;
  text: string;
  textLang: string;
  pairs: { query: string; text: string }[];
}

interface Turn extends Phrase {
  turn: number;
  expect: string;
  contains?: string;
}

/** Languages of the small talk of the test that the training files leave out. */
const UNSEEN = ['ar', 'hi', 'ko', 'pl', 'th', 'vi'];

/** Scripts of languages that are not written in Latin letters. */
const SCRIPTS: Record<string, RegExp> = {
  ar: /\p{Script=Arabic}/u,
  bg: /\p{Script=Cyrillic}/u,
  bn: /\p{Script=Bengali}/u,
  el: /\p{Script=Greek}/u,
  fa: /\p{Script=Arabic}/u,
  he: /\p{Script=Hebrew}/u,
  hi: /\p{Script=Devanagari}/u,
  ja: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u,
  ko: /\p{Script=Hangul}/u,
  ru: /\p{Script=Cyrillic}/u,
  th: /\p{Script=Thai}/u,
  uk: /\p{Script=Cyrillic}/u,
  zh: /\p{Script=Han}/u,
};

function read<T>(path: string): T[] {
  const lines = readFileSync(join(root, path), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** A text without case and punctuation. A text of only symbols stays as it is. */
function normalize(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase();
  return lower.replace(/[^\p{L}\p{M}\p{N}]/gu, '') || lower;
}

const normalized = (items: readonly { text: string }[]) => new Set(items.map(({ text }) => normalize(text)));
const repeats = (values: readonly string[]) => values.filter((value, i) => values.indexOf(value) !== i);
const languages = (items: readonly Phrase[]) => [...new Set(items.map(({ lang }) => lang))].sort();
const occurrences = (text: string, part: string) => text.split(part).length - 1;
const inOtherScript = (items: readonly Phrase[]) =>
  items.filter(({ lang, text }) => /\p{L}/u.test(text) && SCRIPTS[lang]?.test(text) === false);

const phrases = read<Phrase & { id: string; kind: string }>('test/quality/small-talk/phrases.jsonl');
const smallTalk = read<Phrase>('index/evaluate/small-talk.jsonl');
const questions = read<Phrase>('index/evaluate/questions.jsonl');
const aligned = read<AlignedItem>('test/quality/aligned-words/pairs.jsonl');
const turns = read<Turn>('test/quality/conversation/turns.jsonl');
const spokenLanguages = languages(phrases).filter((lang) => lang !== 'und');

describe('the small talk of the test', () => {
  test('has at least 220 different phrases, at least 15 in each of 16 languages', () => {
    expect(phrases.length).toBeGreaterThanOrEqual(220);
    expect(repeats(phrases.map(({ id }) => id))).toEqual([]);
    expect(repeats(phrases.map(({ text }) => normalize(text)))).toEqual([]);
    expect(spokenLanguages).toHaveLength(16);
    for (const lang of spokenLanguages) {
      expect(phrases.filter((phrase) => phrase.lang === lang).length, lang).toBeGreaterThanOrEqual(15);
    }
    expect(inOtherScript(phrases)).toEqual([]);
  });

  test('has at least eight kinds in each language', () => {
    for (const lang of spokenLanguages) {
      const kinds = new Set(phrases.filter((phrase) => phrase.lang === lang).map(({ kind }) => kind));
      expect(kinds.size, lang).toBeGreaterThanOrEqual(8);
    }
  });
});

describe('the training files', () => {
  test('have at least 700 phrases and 500 questions in the same 24 languages, all different', () => {
    expect(smallTalk.length).toBeGreaterThanOrEqual(700);
    expect(questions.length).toBeGreaterThanOrEqual(500);
    expect(languages(questions)).toHaveLength(24);
    expect(languages(smallTalk)).toEqual([...languages(questions), 'und'].sort());
    expect(repeats([...smallTalk, ...questions].map(({ text }) => normalize(text)))).toEqual([]);
    expect(inOtherScript([...smallTalk, ...questions])).toEqual([]);
  });

  test('leave out six languages of the test, and have at least twelve others', () => {
    expect(spokenLanguages.filter((lang) => !languages(questions).includes(lang))).toEqual(UNSEEN);
    const others = languages(questions).filter((lang) => !spokenLanguages.includes(lang));
    expect(others.length).toBeGreaterThanOrEqual(12);
  });

  test('share no text with a test set', () => {
    const sets = ['ar', 'de', 'en', 'fr', 'hi', 'zh'].map(
      (lang) => `test/quality/sets/${lang}/queries.jsonl`,
    );
    const conversations = read<{ q: string }>('test/quality/conversations/conversations.jsonl');
    const tested = normalized([
      ...phrases,
      ...turns,
      ...sets.flatMap((path) => read<Phrase>(path)),
      ...conversations.map(({ q }) => ({ text: q })),
      ...aligned.map(({ question }) => ({ text: question })),
    ]);
    expect([...smallTalk, ...questions].filter(({ text }) => tested.has(normalize(text)))).toEqual([]);
  });
});

describe('the aligned words', () => {
  test('have at least 110 items in at least nine language pairs', () => {
    expect(aligned.length).toBeGreaterThanOrEqual(110);
    expect(repeats(aligned.map(({ id }) => id))).toEqual([]);
    expect(repeats(aligned.map(({ question }) => question))).toEqual([]);
    const pairs = new Set(aligned.map(({ questionLang, textLang }) => `${questionLang}-${textLang}`));
    expect(pairs.size).toBeGreaterThanOrEqual(9);
    expect(aligned.filter(({ questionLang, textLang }) => questionLang === textLang)).toEqual([]);
    const texts = aligned.flatMap(({ question, questionLang, text, textLang }) => [
      { lang: questionLang, text: question },
      { lang: textLang, text },
    ]);
    expect(inOtherScript(texts)).toEqual([]);
  });

  test('occur exactly once, one to four an item, without overlap', () => {
    for (const { id, question, text, pairs } of aligned) {
      expect(pairs.length, id).toBeGreaterThanOrEqual(1);
      expect(pairs.length, id).toBeLessThanOrEqual(4);
      for (const pair of pairs) {
        expect(occurrences(question, pair.query), `${id}: ${pair.query}`).toBe(1);
        expect(occurrences(text, pair.text), `${id}: ${pair.text}`).toBe(1);
      }
      expectApart(
        question,
        pairs.map(({ query }) => query),
        id,
      );
      expectApart(
        text,
        pairs.map((pair) => pair.text),
        id,
      );
    }
  });
});

/** Expects that no character of a text is part of two words. */
function expectApart(text: string, words: string[], id: string): void {
  const spans = words.map((word) => ({ start: text.indexOf(word), end: text.indexOf(word) + word.length }));
  spans.sort((a, b) => a.start - b.start);
  for (const [i, { end }] of spans.entries()) {
    expect(spans[i + 1]?.start ?? text.length, id).toBeGreaterThanOrEqual(end);
  }
}

describe('the scripted conversation', () => {
  const folder = join(root, 'test/quality/conversation/documents');
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));

  test('has 20 turns in three languages', () => {
    expect(turns.map(({ turn }) => turn)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(languages(turns)).toEqual(['de', 'en', 'es']);
  });

  test('has ten answered turns, three near-topic turns and seven of small talk', () => {
    const count = (expected: string) => turns.filter((turn) => turn.expect === expected).length;
    expect([count('answered'), count('not answered'), count('nothing asked')]).toEqual([10, 3, 7]);
  });

  test('names for each answered turn, and no other, a snippet that one line of the documents contains', () => {
    for (const { turn, contains, ...rest } of turns) {
      expect(contains !== undefined, `turn ${turn}`).toBe(rest.expect === 'answered');
      if (contains === undefined) continue;
      expect(lines.filter((line) => line.includes(contains)).length, `turn ${turn}`).toBe(1);
    }
  });
});
