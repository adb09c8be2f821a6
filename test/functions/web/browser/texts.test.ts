import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleForBrowser } from '../../../../functions/web/assets.ts';
import { createTexts, mergeLanguages, TEXTS, type Text } from '../../../../functions/web/browser/texts.ts';
import { root } from '../../../fixtures/index.ts';

const browser = join(root, 'functions/web/browser');
const files = readdirSync(join(browser, 'texts'));
const read = (name: string) =>
  JSON.parse(readFileSync(join(browser, 'texts', name), 'utf8')) as Record<string, Text>;
const english = Object.entries(read('en.json'));

const formsOf = (text: Text) => (typeof text === 'string' ? [text] : Object.values(text));
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('every file of texts is in use', () => {
  expect(
    Object.keys(TEXTS)
      .map((lang) => `${lang}.json`)
      .sort(),
  ).toEqual(files.sort());
  expect(files.length).toBeGreaterThanOrEqual(14);
});

describe.each(files)('%s', (file) => {
  const texts = read(file);
  const lang = file.replace('.json', '');

  test('has the names of en.json, in the same order', () => {
    expect(Object.keys(texts)).toEqual(english.map(([name]) => name));
  });

  test('has no empty text, and no spaces at its ends', () => {
    const forms = Object.values(texts).flatMap(formsOf);
    expect(forms.filter((form) => form === '' || form !== form.trim())).toEqual([]);
  });

  test('has the plural forms of its language, where English has two', () => {
    const categories = new Intl.PluralRules(lang).resolvedOptions().pluralCategories;
    for (const [name, text] of english) {
      const own = texts[name]!;
      expect(typeof own, name).toBe(typeof text);
      if (typeof own === 'object') expect(Object.keys(own).sort(), name).toEqual([...categories].sort());
    }
  });

  test('has the placeholders of en.json', () => {
    for (const [name, text] of english) {
      const expected = placeholders(formsOf(text).at(-1)!);
      const own = texts[name]!;
      if (typeof own === 'string') {
        expect(placeholders(own), name).toEqual(expected);
        continue;
      }
      for (const [category, form] of Object.entries(own)) {
        // A form for one number may write it as a word.
        const spelled = new Intl.PluralRules(lang).select(Number(category === 'two') + 1) === category;
        const found = placeholders(form);
        expect(spelled && found.length === 0 ? expected : found, `${name}.${category}`).toEqual(expected);
      }
    }
  });

  test('is written in its own script, and differs from English', () => {
    const own = Object.values(texts).flatMap(formsOf).join(' ');
    const script = new Intl.Locale(lang).maximize().script!;
    const pattern = { Jpan: 'sc=Hira', Hans: 'sc=Hani', Hant: 'sc=Hani', Kore: 'sc=Hang' }[script];
    expect(own.match(new RegExp(`\\p{${pattern ?? `sc=${script}`}}`, 'gu'))!.length).toBeGreaterThan(100);
    const same = english.filter(([name, text]) => JSON.stringify(texts[name]) === JSON.stringify(text));
    if (lang !== 'en') expect(same.length).toBeLessThan(5);
  });
});

describe('createTexts', () => {
  test.each([
    [['de-CH', 'en'], 'de', 'ltr'],
    [['pt-BR'], 'pt', 'ltr'],
    [['zh-TW'], 'zh-Hant', 'ltr'],
    [['zh-HK', 'zh'], 'zh-Hant', 'ltr'],
    [['zh'], 'zh-Hans', 'ltr'],
    [['zh-SG'], 'zh-Hans', 'ltr'],
    [['iw'], 'he', 'rtl'],
    [['ar-EG'], 'ar', 'rtl'],
    [['fa-AF'], 'fa', 'rtl'],
    [['sw', 'not a tag', 'fr-CA', 'de'], 'fr', 'ltr'],
    // Uzbek in Latin letters is no reason for another language's texts.
    [['uz-Latn'], 'en', 'ltr'],
    [[], 'en', 'ltr'],
  ])('chooses from %j', (preferred, lang, dir) => {
    expect(createTexts(preferred)).toMatchObject({ lang, dir });
  });

  test('fills placeholders, with the numbers and plurals of the language', () => {
    const [en, de, pl, ar] = ['en', 'de', 'pl', 'ar-EG'].map((lang) => createTexts([lang]));
    expect(en!.of('page.aboutPassages', { count: 12_345 })).toBe('12,345 passages');
    expect(de!.of('page.aboutPassages', { count: 12_345 })).toBe('12.345 Passagen');
    expect([1, 3, 5, 22].map((count) => pl!.of('page.aboutPassages', { count }))).toEqual([
      '1 fragment',
      '3 fragmenty',
      '5 fragmentów',
      '22 fragmenty',
    ]);
    expect(ar!.of('page.aboutPassages', { count: 2 })).toBe('مقطعين');
  });

  test('names languages and joins lists in its language', () => {
    const [en, de, ja] = ['en', 'de', 'ja'].map((lang) => createTexts([lang]));
    expect(de!.languageName('de-1996')).toBe('Deutsch');
    expect(de!.languageName('und')).toBe('Unbekannte Sprache');
    expect(de!.languageName('no tag')).toBe('no tag');
    expect(en!.list(['a', 'b', 'c']).join('')).toBe('a, b, c');
    expect(ja!.list([1, 2])).not.toContain(', ');
    expect(en!.list([])).toEqual([]);
  });
});

test('merges regions and variants of a language, but not its scripts', () => {
  const counted = {
    de: 1,
    'de-AT': 2,
    'en-US': 4,
    'zh-Hant-TW': 2,
    'zh-Hans': 1,
    'pt-1990': 5,
    und: 6,
    'x-y': 1,
  };
  const all = Object.entries(counted).map(([value, passages]) => ({ value, passages }));
  expect(mergeLanguages(all).map(({ value, passages }) => [value, passages])).toEqual([
    ...[
      ['und', 6],
      ['pt', 5],
      ['en', 4],
      ['de', 3],
      ['zh-Hant', 2],
      ['zh-Hans', 1],
      ['x-y', 1],
    ],
  ]);
});

test('a bundle has the shared texts and its own', async () => {
  const entry = join(browser, 'texts.ts');
  const page = await bundleForBrowser(entry, 'page', 'esm');
  const widget = await bundleForBrowser(entry, 'widget', 'esm');
  for (const text of [page, widget]) expect(text).toContain('Nothing here matches your question.');
  expect(page).toContain('Use key');
  expect(widget).not.toContain('Use key');
});
