import { describe, expect, it } from 'vitest';
import { readMarkdown } from '../../../index/documents/markdown/markdown.ts';
import { markdownParts } from '../../../index/documents/markdown/parts.ts';

const read = (text: string) => readMarkdown(text, 'a.md', 'docs/a.md');
const texts = (text: string) => read(text).blocks.map((block) => block.text);

describe('deeply nested Markdown', () => {
  it.each([
    ['quotes', `${'>'.repeat(400)} a`, 100],
    ['emphasis', `${'*a **b '.repeat(170)}${'b** a*'.repeat(170)}`, 100],
    ['HTML', '<div>'.repeat(1_000), 512],
  ])('is rejected: %s', (_, text, limit) => {
    expect(() => read(text)).toThrow(
      `docs/a.md: nested more than ${limit} levels deep. Flatten it and try again.`,
    );
  });

  it('is read up to 100 levels', () => {
    expect(texts(`${'>'.repeat(100)} a`)).toEqual(['a']);
  });
});

it('front matter may nest at any depth, because only scalars are read', () => {
  const deep = `a: ${'['.repeat(100_000)}\nb:\n${Array.from({ length: 500 }, (_, i) => `${' '.repeat(i + 1)}c:`).join('\n')}`;
  expect(read(`---\ntitle: A\n${deep}\n---\nText.`)).toMatchObject({ title: 'A', metadata: undefined });
});

it.each(['a\n-\n', 'a\n# b\n', 'a\n***\n'])('many blocks are parsed in parts: %j', (part) => {
  const { blocks } = read(part.repeat(300));
  const { blocks: few } = read(part.repeat(10));
  expect(blocks.length).toBe(few.length * 30);
});

it.each(['- a\n', '1. a\n', '- a\n  - b\n    - c\n', '- a\n\n'])(
  'a long list is parsed in parts: %j',
  (item) => {
    const parts = markdownParts(item.repeat(2_000));
    for (const text of parts) expect(text.split('\n').length).toBeLessThan(260);
    const lines = (count: number) => texts(item.repeat(count)).join('\n').split('\n').length;
    expect(lines(300)).toBe(lines(10) * 30);
  },
);

it('lists are not parsed apart in HTML, code and quotes', () => {
  const items = (indent: string) => `${indent}- a\n`.repeat(300);
  expect(texts(`<div>\n${items('')}</div>\n`)).toHaveLength(1);
  expect(texts(`\`\`\`\n${items('')}\`\`\`\n`)).toHaveLength(1);
  expect(texts(items('> '))).toHaveLength(1);
  expect(texts(`- a\n${items('  ')}`)).toHaveLength(1);
});

it('a long definition is not repeated in each part', () => {
  const text = `[a]: b${'c'.repeat(2_000)}\n\n${'[a]\n\n'.repeat(1_000)}`;
  const length = markdownParts(text).reduce((sum, part) => sum + part.length, 0);
  expect(length).toBeLessThan(1.1 * text.length);
});
