import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMarkdown } from '../../../index/documents/markdown/markdown.ts';

const read = (text: string) => readMarkdown(text, 'a.md');
const texts = (text: string) => read(text).blocks.map((block) => block.text);

describe('readMarkdown', () => {
  it('reads headings with levels, and paragraphs without markup', () => {
    const text =
      '# The *harbour*\n\nIt **rained** on the [quay](https://example.org) and `x`.\n\n### Boats<br>and\n\nA\nB  \nC<br>D\n\n汉\n字';
    expect(read(text).blocks).toEqual([
      { kind: 'heading', level: 1, text: 'The harbour' },
      { kind: 'paragraph', text: 'It rained on the quay and x.' },
      { kind: 'heading', level: 3, text: 'Boats and' },
      { kind: 'paragraph', text: 'A B\nC\nD' },
      { kind: 'paragraph', text: '汉字' },
    ]);
  });

  it.each([
    ['a tight list', '- one\n- two\n  1. three\n- [x] four', ['one\ntwo\nthree\nfour']],
    ['a loose list', '- one\n\n- two\n\n  more', ['one', 'two\nmore']],
    ['a table', '| a | b |\n|---|---|\n| 1 | **2** |\n|   | 4 |', ['a | b\n1 | 2\n | 4']],
    ['code', '```js\nif (x) {\n\n  y();\n}\n```', ['if (x) {\n\n  y();\n}']],
    ['a quotation', '> one\n>\n> two', ['one', 'two']],
    [
      'HTML',
      '<div align="center">\n<b>one</b> &amp; two\n</div>\n\n<!-- none -->\n\na <i>b</i>',
      ['one & two', 'a b'],
    ],
    ['an image', '![a boat](boat.png)', ['a boat']],
    ['a footnote', 'a[^1]\n\n[^1]: b', ['a', 'b']],
    ['invisible elements', '***\n\n[a]: https://example.org\n\n#', []],
  ])('reads %s', (_, text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  it('uses the first heading of level 1 as the title', () => {
    expect(read('## A\n\n# B\n\n# C').title).toBe('B');
    expect(read('## A').title).toBeUndefined();
  });

  it('reads scalars from front matter', () => {
    const text = `---
title: "The \\"harbour\\"" # why not
lang: de
url: https://example.org/#a
year: 2018
code: 007
draft: true
name: 'it''s'
version: '1.0'
note: a # b
tags: [a, b]
none: null
list:
  - a
folded: a
  b
---
# Heading`;
    expect(read(text)).toEqual({
      source: 'a.md',
      title: 'The "harbour"',
      lang: 'de',
      url: 'https://example.org/#a',
      metadata: { year: 2018, code: '007', draft: true, name: "it's", version: '1.0', note: 'a' },
      blocks: [{ kind: 'heading', level: 1, text: 'Heading' }],
    });
    expect(read('---\ntitle: 1984\n---\n').title).toBe('1984');
  });

  it.each(['---\nJust text\n---\n', 'a\n\n---\ntitle: b\n---\n', '---\ntitle: never closed'])(
    'does not read %j as front matter',
    (text) => {
      expect(texts(text).join()).toContain(text.match(/Just text|title: \w+( closed)?/)?.[0]);
      expect(read(text).metadata).toBeUndefined();
    },
  );

  it('reads a long text like its parts', () => {
    const part =
      '## Head\n\nText with a [link] in it.\n\n```sh\n# no heading\n\nls\n```\n\n1. one\n\n   more\n\n2. two\n\n';
    const many = 600;
    const blocks = read(`${part}\n[link]: https://example.org`).blocks;
    expect(read(`${part.repeat(many)}\n[link]: https://example.org`).blocks).toEqual(
      Array.from({ length: many }, () => blocks).flat(),
    );
  });

  it('does not split a long code block', () => {
    const code = 'x = 1\n\ny = 2\n\n'.repeat(3000).trim();
    expect(read(`~~~py\n${code}\n~~~\n\n\`\`\`\n~~~\n\`\`\``).blocks).toEqual([
      { kind: 'paragraph', text: code },
      { kind: 'paragraph', text: '~~~' },
    ]);
  });

  it('keeps every word of a text without markup', () => {
    const word = fc.stringMatching(/^[a-zäß汉字]{1,8}$/);
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 1 }), { minLength: 1 }), (paragraphs) => {
        const lines = paragraphs.map((words) => words.join(' '));
        expect(texts(lines.join('\n\n'))).toEqual(lines);
      }),
    );
  });
});
