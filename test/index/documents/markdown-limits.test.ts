import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { BlockScanner } from '../../../index/documents/markdown/blocks.ts';
import { checkMarkdown } from '../../../index/documents/markdown/limits.ts';
import { readMarkdown } from '../../../index/documents/markdown/markdown.ts';
import { markdownParts } from '../../../index/documents/markdown/parts.ts';

const read = (text: string) => readMarkdown(text, 'a.md', 'docs/a.md');
const texts = (text: string) => read(text).blocks.map((block) => block.text);
const nestedList = (depth: number) =>
  Array.from({ length: depth }, (_, i) => `${'  '.repeat(i)}- item ${i}`).join('\n');

const TOO_DEEP = 'nested more than 100 levels deep. Flatten it and try again.';

describe('deeply nested Markdown is rejected with the file and line', () => {
  it.each([
    ['quotes', `Text.\n\n${'>'.repeat(20_000)} a`, 3],
    ['lists in one line', `${'- '.repeat(20_000)}a`, 1],
    ['indented lists', nestedList(1_500), 101],
    ['lists indented by tabs', nestedList(1_500).replaceAll('  ', '\t'), 101],
    ['alternating quotes and lists', `---\ntitle: a\n---\n${'> 1. '.repeat(60)}a`, 4],
    ['images', `${'!['.repeat(1_000)}a${'](b)'.repeat(1_000)}`, 1],
    ['links', `${'['.repeat(1_000)}a${'](b)'.repeat(1_000)}`, 1],
    ['brackets over several lines', `${'[a\n'.repeat(101)}${']\n'.repeat(101)}`, 202],
  ])('%s', (_, text, line) => {
    expect(() => read(text)).toThrow(`docs/a.md:${line}: ${TOO_DEEP}`);
  });

  it('emphasis', () => {
    expect(() => read(`${'*a **b '.repeat(400)}${'b** a*'.repeat(400)}`)).toThrow(`docs/a.md: ${TOO_DEEP}`);
  });

  it('HTML in Markdown', () => {
    expect(() => read('<div>'.repeat(10_000))).toThrow(
      'docs/a.md: nested more than 512 levels deep. Flatten it and try again.',
    );
  });

  it('100 levels are read', () => {
    expect(texts(`${'>'.repeat(100)} a`)).toEqual(['a']);
    expect(texts(nestedList(100))[0]?.split('\n')).toHaveLength(100);
    expect(texts(`${'!['.repeat(100)}a${'](b)'.repeat(100)}`)).toEqual(['a']);
  });
});

describe('a paragraph that would slow the parser is rejected with the file and line', () => {
  it.each([
    ['emphasis that could close', 'a* '],
    ['emphasis that could open', '*a '],
    ['emphasis of two kinds', '*a**b'],
    ['strike-through', 'a~ '],
    ['closing brackets', ']'],
    ['unterminated links', '[a]('],
  ])('%s', (_, part) => {
    expect(() => read(`Text.\n\n${part.repeat(20_000)}`)).toThrow(
      'docs/a.md:3: over 5,000 emphasis marks and brackets in one paragraph. Divide it with blank lines and try again.',
    );
  });

  it.each([
    ['comments', 'a <!--'.repeat(10_000)],
    ['instructions', 'a<?'.repeat(20_000)],
    ['backticks', Array.from({ length: 1_000 }, (_, i) => `${'`'.repeat(i + 1)} `).join('')],
  ])('%s', (_, text) => {
    expect(() => read(text)).toThrow(
      'docs/a.md:1: too many comments or lengths of backticks in one paragraph. Divide it with blank lines and try again.',
    );
  });

  it.each([
    ['quotes', '> a\n'.repeat(10_001), 10_001],
    ['a quote that continues without a mark', `${'> '.repeat(90)}a\n${'b\n'.repeat(1_000)}`, 112],
    ['deep quotes', `${'>'.repeat(90)} a\n`.repeat(200), 112],
    ['lists in a list', `- a\n${'  - b\n    - c\n'.repeat(3_000)}`, 3_335],
  ])('%s', (_, text, line) => {
    expect(() => read(`Text.\n\n${text}`)).toThrow(
      `docs/a.md:${line + 2}: too many lines in one quote or list. Divide it by a line of text between blank lines and try again.`,
    );
  });

  it.each([
    ['paragraphs', '*a* [b](c)\n\n'],
    ['list items', '- *a* [b](c)\n'],
    ['table rows', '| *a* | [b](c) |\n', '| a | b |\n|---|---|\n'],
    ['link definitions', '[a_b_c_d]: e\n'],
    ['lines of fenced code', '*a*b*c*[d]\n', '```\n'],
    ['lines of indented code', '    *a*b*c*[d]\n'],
    ['lines of a script', 'a = [b_c_d, [e_f]];\n', '<script>\n'],
  ])('but many %s are accepted', (_, part, start = '') => {
    expect(() => read(start + part.repeat(1_500))).not.toThrow();
  });
});

it('front matter may nest at any depth, because only scalars are read', () => {
  const deep = `a: ${'['.repeat(100_000)}\nb:\n${Array.from({ length: 500 }, (_, i) => `${' '.repeat(i + 1)}c:`).join('\n')}`;
  expect(read(`---\ntitle: A\n${deep}\n---\nText.`)).toMatchObject({ title: 'A', metadata: undefined });
});

it.each(['a\n-\n', 'a\n=\n', 'a\n# b\n', 'a\n***\n', '-\n\n'])(
  'many blocks are parsed in parts: %j',
  (part) => {
    const { blocks } = read(part.repeat(1_000));
    const { blocks: few } = read(part.repeat(10));
    expect(blocks.length).toBe(few.length * 100);
  },
);

it.each(['- a\n', '1. a\n', ' - a\n', '- a\nb\n', '- > a\n', '- a\n  - b\n    - c\n', '- a\n\n'])(
  'a long list is parsed in parts: %j',
  (item) => {
    const parts = markdownParts(item.repeat(2_000));
    expect(parts.map(({ text }) => text).join('\n')).toBe(item.repeat(2_000));
    for (const { text } of parts) expect(text.split('\n').length).toBeLessThan(260);
    const lines = (count: number) => texts(item.repeat(count)).join('\n').split('\n').length;
    expect(lines(300)).toBe(lines(10) * 30);
  },
);

it.each(['>> a\nb\n', '> a\nb\n'])('quotes that continue without a mark are parsed in parts: %j', (quote) => {
  const parts = markdownParts(quote.repeat(10_000));
  for (const { text } of parts) expect(text.split('\n').length).toBeLessThan(260);
  expect(texts(quote.repeat(300)).join(' ').split(' ')).toHaveLength(600);
});

it('text between lists divides them', () => {
  const text = `${'- a\n'.repeat(90)}\nText.\n\n`.repeat(150);
  expect(() => checkMarkdown(text, 'a.md', 1)).not.toThrow();
  expect(() => checkMarkdown(text.replaceAll('Text.', '  Text.'), 'a.md', 1)).toThrow('too many lines');
});

it('lists are not parsed apart in HTML, code and quotes', () => {
  const items = (indent: string) => `${indent}- a\n`.repeat(300);
  expect(texts(`<div>\n${items('')}</div>\n`)).toHaveLength(1);
  expect(texts(`\`\`\`\n${items('')}\`\`\`\n`)).toHaveLength(1);
  expect(texts(items('> '))).toHaveLength(1);
  expect(texts(`- a\n${items('  ')}`)).toHaveLength(1);
});

it('a long definition is not repeated in each part', () => {
  const text = `[a]: b${'c'.repeat(2_000)}\n\n${'[a]\n\n'.repeat(1_000)}`;
  const length = markdownParts(text).reduce((sum, part) => sum + part.definitions.length, 0);
  expect(length).toBeLessThan(text.length);
});

it('the depth of any Markdown is found without parsing', () => {
  const part = fc.constantFrom(
    '> ',
    '>',
    '- ',
    '1. ',
    '  ',
    '    ',
    ' ',
    'a',
    '\n',
    '\n\n',
    '```',
    '\t',
    '* ',
    '---',
  );
  const depthOf = (node: object): number => {
    const children: object[] = 'children' in node ? (node.children as object[]) : [];
    const own = 'type' in node && (node.type === 'blockquote' || node.type === 'listItem') ? 1 : 0;
    return own + Math.max(0, ...children.map(depthOf));
  };
  fc.assert(
    fc.property(fc.array(part, { maxLength: 16 }), (parts) => {
      // A line that continues a paragraph may omit the markers of its containers, so those are ignored.
      const text = parts.join('').replace(/\n+/g, '\n\n');
      const scanner = new BlockScanner();
      const depth = Math.max(...text.split('\n').map((line) => scanner.next(line).depth));
      expect(depth).toBeGreaterThanOrEqual(depthOf(fromMarkdown(text)));
    }),
    { numRuns: 2_000 },
  );
});
