import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMarkdown } from '../../../index/documents/markdown/markdown.ts';
import { readBytes } from '../../fixtures/read.ts';

const read = (text: string) => readMarkdown(text, 'a.md');
const texts = (text: string) => read(text).blocks.map((block) => block.text);

describe('readMarkdown', () => {
  it('reads headings with levels, and paragraphs without markup', () => {
    const text =
      '# The *harbour*\n\nIt **rained** on the [quay](https://example.org) and `x`.\n\n### Boats<br>and\n\nA\nB  \nC<br>D\n\n汉\n字';
    expect(read(text).blocks).toEqual([
      { kind: 'heading', level: 1, text: 'The harbour', anchor: 'the-harbour' },
      { kind: 'paragraph', text: 'It rained on the quay and x.' },
      { kind: 'heading', level: 3, text: 'Boats and', anchor: 'boatsand' },
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
      metadata: {
        year: 2018,
        code: '007',
        draft: true,
        name: "it's",
        version: '1.0',
        note: 'a',
        tags: ['a', 'b'],
        list: ['a'],
        folded: 'a b',
      },
      blocks: [{ kind: 'heading', level: 1, text: 'Heading', anchor: 'heading' }],
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
    const { blocks } = read(`${part}\n[link]: https://example.org`);
    expect(read(`${part.repeat(many)}\n[link]: https://example.org`).blocks).toEqual(
      Array.from({ length: many }, (_, i) =>
        blocks.map((block) => ({
          ...block,
          ...(block.anchor && { anchor: i === 0 ? 'head' : `head-${i}` }),
        })),
      ).flat(),
    );
  });

  it('reads many footnotes and links of a long text once', () => {
    const text = Array.from({ length: 400 }, (_, i) => `a[^${i}] [b${i}]\n\n`).join('');
    const notes = Array.from(
      { length: 400 },
      (_, i) => `[^${i}]: note ${i}\n\n[b${i}]: https://example.org/${i}\n\n`,
    ).join('');
    expect(texts(text + notes).join()).toBe(
      [
        ...Array.from({ length: 400 }, (_, i) => `a b${i}`),
        ...Array.from({ length: 400 }, (_, i) => `note ${i}`),
      ].join(),
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

  it.each([
    [
      '# A & B: *c* `d_e`\n\n## Ärger, 漢字!\n\n## Ärger 漢字\n\n# a  b-c',
      ['a--b-c-d_e', 'ärger-漢字', 'ärger-漢字-1', 'a--b-c'],
    ],
    ['# A\n\n# A\n\n# A 1\n\n# A', ['a', 'a-1', 'a-1-1', 'a-2']],
    ['# A {#own-id}\n\n# B {: #b .c }\n\n# C {.d}', ['own-id', 'b', 'c-d']],
    ['# ![x](y.png) A', ['a']],
    ['<h2 align="center">Big <b>Title</b></h2>', ['big-title']],
  ])('gives headings the anchors that GitHub gives them: %j', (text, anchors) => {
    expect(read(text).blocks.map(({ anchor }) => anchor)).toEqual(anchors);
  });

  it.each([
    ['a GitHub alert', '> [!NOTE]\n> Text.\n>\n> More.', ['Text.', 'More.']],
    ['an Obsidian callout', '> [!tip]- Title\n> Text.', ['Title Text.']],
    ['a container', ':::note\nText.\n:::\n\nAfter.', ['Text.', 'After.']],
    ['a container with a title', '::: warning Be careful\n- a\n- b\n:::', ['Be careful', 'a\nb']],
    ['a titled container of Docusaurus', ':::tip[Be *quick*]\n\nText.\n\n:::', ['Be quick', 'Text.']],
    ['a container of Quarto', '::: {.callout-note title="A b"}\nText.\n:::', ['A b\nText.']],
    [
      'an admonition of MkDocs',
      '!!! note "A b"\n    Text.\n\n    More.\n\nAfter.',
      ['A b\nText.', 'More.', 'After.'],
    ],
    ['an admonition without title', '??? tip\n\n    Text.\n\n        code', ['Text.', 'code']],
    ['nested admonitions', '!!! a "A"\n\n    !!! b "B"\n\n        Text.\n\n    C', ['A', 'B', 'Text.', 'C']],
    ['an admonition in a list', '1. a\n\n    !!! b\n        Text.\n\n2. c', ['a\nText.', 'c']],
    ['tabs', '=== "Linux"\n\n    a\n\n=== "Mac"\n\n    b', ['Linux', 'a', 'Mac', 'b']],
    ['code with signs of admonitions', '```\n:::note\n!!! note\n```', [':::note\n!!! note']],
  ])('reads the text of %s', (_, text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  it('drops badges, comments and definitions', () => {
    const text =
      '# P [![Build](https://github.com/a/b/workflows/CI/badge.svg)](c)\n\n[![npm](https://img.shields.io/npm/v/p.svg)](d) ![x][y]\n\n<!-- a\n\nb -->\n\nText.\n\n[y]: https://badge.fury.io/x.svg';
    expect(texts(text)).toEqual(['P', 'Text.']);
  });

  it.each([
    ['tools/saw/README.md', '# Saw\n\n## License', 'Saw'],
    ['tools/saw/README.md', '# License', 'saw'],
    ['tools/saw/readme.markdown', 'Text.', 'saw'],
    ['tools/saw/README.de.md', '# README\n\nText.', 'saw'],
    ['README.md', '## Install', undefined],
    ['tools/saw/install.md', '# License', 'License'],
  ])('the title of %s with %j is %j', (source, text, title) => {
    expect(readMarkdown(text, source).title).toBe(title);
  });

  it('reads dates, languages and links from front matter', () => {
    const text =
      '---\ntitle: ""\npermalink: https://example.org/a\nlanguage: pt_BR\ndate: 2024-1-2 3:04:05 +1\nday: 2024-12-01\nmixed: [a, {b: c}]\nauthor:\n  name: X\ntext: |\n  a\n  b\nbad: "x\nempty:\n---\n# A';
    expect(read(text)).toMatchObject({
      title: 'A',
      url: 'https://example.org/a',
      lang: 'pt-BR',
      metadata: { date: '2024-01-02T03:04:05+01:00', day: '2024-12-01', text: 'a\nb' },
    });
    expect(Object.keys(read(text).metadata ?? {})).toEqual(['date', 'day', 'text']);
    expect(read('---\nlanguage: English\n---\nA').metadata).toEqual({ language: 'English' });
  });

  it('is not slowed by aliases and anchors in front matter', () => {
    const text = `---\na: &a [x, x, x]\nb: [*a, *a]\nc: !!js/function "x"\ntitle: T\n${'k: [\n'.repeat(500)}---\nA`;
    expect(read(text)).toMatchObject({ title: 'T', metadata: { a: ['x', 'x', 'x'] } });
  });

  it('skips front matter in TOML, except for its title', () => {
    expect(read('+++\ntitle = "A b"\ndate = 2024-01-02\n+++\nText.')).toEqual({
      source: 'a.md',
      title: 'A b',
      blocks: [{ kind: 'paragraph', text: 'Text.' }],
    });
  });

  it.each([
    ['---\naccess: [hr, board]\n---\nA.', ['hr', 'board']],
    ['---\naccess: hr\n---\nA.', 'hr'],
    ['---\naccess: [hr\n---\nA.', []],
    ['---\naccess:\n---\nA.', []],
    ['---\naccess:\n  groups: [hr]\n---\nA.', []],
    ['---\naccess: [hr]\n???\n---\nA.', []],
    [`---\naccess: ["${'x'.repeat(5000)}"]\n---\nA.`, []],
    [`---\n${'a: 1\n'.repeat(300)}access: hr\n---\nA.`, []],
    ['+++\naccess = ["hr"]\n+++\nA.', []],
  ])('never publishes a text whose groups it cannot read: %j', (text, access) => {
    expect(read(text).metadata).toMatchObject({ access });
  });

  it('reports a file without text', async () => {
    const { documents, notices } = await readBytes('a.md', '---\ntitle: A\n---\n<!-- x -->\n');
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([{ place: 'a.md', reason: 'no text' }]);
  });
});
