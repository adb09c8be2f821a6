import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCollection } from '../../index/evaluate/real-documents.ts';
import { tokenCounter } from '../../index/ingest/build.ts';
import { toPassages } from '../../index/ingest/passages/split.ts';
import { defaultModel, root } from '../fixtures/index.ts';

const collapsed = (text: string) => text.replace(/\s+/g, ' ');

test.each(['gimp', 'gnucash', 'lilypond'])(
  'each answer of %s is whole in a passage of its source',
  async (name) => {
    const countTokens = tokenCounter(defaultModel().dir);
    const { documents, questions } = await readCollection(join(root, 'test/quality/real', name));
    const texts = new Map<string, string[]>();
    for (const document of documents) {
      const passages = toPassages(document, { countTokens, minTokens: 192, maxTokens: 400 });
      texts.set(
        document.source,
        passages.map(({ text }) => collapsed(text)),
      );
    }
    for (const { id, answers } of questions)
      for (const { source, contains } of answers) {
        const found = texts.get(source)?.some((text) => text.includes(contains));
        expect(found, `${id}: ${source}: ${contains}`).toBe(true);
      }
  },
);
