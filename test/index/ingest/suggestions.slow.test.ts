import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { defaultModel, temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const { dir } = defaultModel();

describe('suggestions', () => {
  async function suggestionsOf(documents: Document[]) {
    const out = join(folder, 'suggestions');
    const embedder = await Embedder.open(dir, { verify: false });
    await buildIndex(documents, out, embedder, tokenCounter(dir));
    const search = await openSearch({ index: out, model: embedder, verify: false });
    return { search, suggestions: (await search.overview()).suggestions };
  }

  /** A document of one section for each of these headings and texts. */
  const document = (
    source: string,
    lang: string,
    ...sections: [heading: string, text: string][]
  ): Document => ({
    source,
    title: source,
    lang,
    blocks: sections.flatMap(([heading, text]): Document['blocks'] => [
      { kind: 'heading', level: 2, text: heading },
      { kind: 'paragraph', text },
    ]),
  });

  test('cover languages and questions evenly, and each finds its own passage', async () => {
    const english = [
      'bread',
      'cheese',
      'honey',
      'butter',
      'rice',
      'wine',
      'salt',
      'fish',
      'milk',
      'tea',
      'soup',
      'eggs',
    ];
    const chinese = ['面包', '奶酪', '蜂蜜', '黄油', '大米', '葡萄酒'];
    const { search, suggestions } = await suggestionsOf([
      ...english.map((food) =>
        document(`en/${food}`, 'en', [
          `How long does ${food} keep?`,
          `Keep ${food} in a cool place, and it lasts.`,
        ]),
      ),
      ...chinese.map((food) =>
        document(`zh/${food}`, 'zh', [`${food}可以保存多久？`, `${food}应放在阴凉处。`]),
      ),
    ]);
    expect(suggestions.map(({ lang }) => lang)).toEqual(['en', 'zh', 'en', 'zh', 'en', 'zh']);
    expect(suggestions.filter(({ lang }) => lang === 'en').map(({ text }) => text)).toEqual(
      ['bread', 'rice', 'milk'].map((food) => `How long does ${food} keep?`),
    );
    for (const { text, lang } of suggestions) {
      const { results } = await search.search({ q: text, k: 1, mode: 'semantic', filter: { lang } });
      expect(results[0]!.text.startsWith(`${text}\n`)).toBe(true);
    }
  });

  test('are questions in any script, in headings or sentences', async () => {
    const questions: [lang: string, question: string, answer: string][] = [
      ['en', 'Why is the sky blue?', 'Air scatters blue light most.'],
      ['es', '¿Cuánto tiempo se conserva el pan?', 'Tres días en una lata.'],
      ['el', 'Πότε φεύγει το πλοίο για το νησί;', 'Φεύγει κάθε πρωί.'],
      ['ar', 'متى تغادر العبارة إلى الجزيرة؟', 'تغادر العبارة كل صباح من الميناء.'],
      ['ja', '船はいつ島へ出発しますか？', '毎朝出発します。'],
      ['am', 'ጀልባው መቼ ነው የሚሄደው፧', 'ጀልባው በየቀኑ ጠዋት ይሄዳል።'],
    ];
    for (const isHeading of [true, false]) {
      const { suggestions } = await suggestionsOf(
        questions.map(([lang, question, answer]) =>
          isHeading
            ? document(lang, lang, [question, answer])
            : document(lang, lang, ['1', `${question} ${answer}`]),
        ),
      );
      expect(new Set(suggestions)).toEqual(new Set(questions.map(([lang, text]) => ({ text, lang }))));
    }
  });

  test('are headings of several words where there are no questions', async () => {
    const { suggestions } = await suggestionsOf([
      document('a', 'en', ['Article 24', 'Bees build their combs of wax.']),
      document('b', 'en', ['Repairing a bicycle tyre', 'Take the wheel off; then the tyre.']),
      document('c', 'en', ['and if it rains on that day?', 'He asked "where are we going?" again.']),
      document('d', 'en', ['Troubleshooting', 'What does section 4.2 (and "5") say?']),
    ]);
    expect(suggestions).toEqual([{ text: 'Repairing a bicycle tyre', lang: 'en' }]);
  });

  test('leave out questions that find another passage', async () => {
    const { suggestions } = await suggestionsOf([
      document('a', 'en', [
        'Bees',
        'Is this not strange? Bees build their combs of wax, in six-sided cells.',
      ]),
      document('b', 'en', [
        'Strange',
        'This is very strange. This is not at all normal, it is strange indeed.',
      ]),
    ]);
    expect(suggestions).toEqual([]);
  });
});
