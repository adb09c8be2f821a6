import { expect, test } from 'vitest';
import { withTitle } from '../../../index/format/passage.ts';

const passage = {
  text: 'Margins\nAll sides are equal.',
  title: 'Guide › Printing › Margins',
  source: 'docs/print.md',
};

test.each([
  ['headings that the text lacks', {}, 'Guide › Printing\nMargins\nAll sides are equal.'],
  ['the whole path for a later passage', { text: 'Equal.' }, 'Guide › Printing › Margins\nEqual.'],
  ['no file name', { title: 'print.md' }, passage.text],
  ['no empty title', { title: '' }, passage.text],
  ['no heading that is a line of the text', { title: 'Margins' }, passage.text],
  ['at most 200 characters of a title', { title: 'x'.repeat(300) }, `${'x'.repeat(200)}\n${passage.text}`],
  ['no half of a character', { title: `${'x'.repeat(199)}😀` }, `${'x'.repeat(199)}\uFFFD\n${passage.text}`],
])('a passage is embedded with %s', (_, changes, expected) => {
  const changed = { ...passage, ...changes };
  const { text, start } = withTitle(changed);
  expect(text).toBe(expected);
  expect(text.slice(start)).toBe(changed.text);
});
