import { expect, test } from 'vitest';
import { createTexts } from '../../../../functions/web/browser/texts.ts';
import { describeIndex } from '../../../../functions/web/page/browser/overview.ts';

test('the page counts documents, however few folders its list of sources has', () => {
  const overview = {
    index: { version: 'v1', passages: 8023, model: 'double' },
    documents: 1172,
    languages: [{ value: 'en', passages: 8023 }],
    sources: ['a/', 'b/', 'c/', 'd/'].map((value) => ({ value, passages: 2000 })),
    suggestions: [],
  };
  expect(describeIndex(overview, createTexts(['en']))).toBe(
    'Searching 8,023 passages in English from 1,172 documents',
  );
});
