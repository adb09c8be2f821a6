import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';

const read = async (text: string) => (await readBytes('a.rst', text)).documents[0];
const lines = async (text: string) => outline((await readBytes('a.rst', text)).documents).split('\n');

describe('reStructuredText', () => {
  it('has a title, fields, levels of headings, and anchors', async () => {
    const text =
      ':Author: A. Writer\n:lang: pt_BR\n:Date: $Date: 2024-01-02 $\n\n=======\n The *A*\n=======\n\nOne\n===\n\n.. _my_label:\n\nTwo (2)\n-------\n\nThree\n=====\nText.\n\nOne\n---\n\n漢字\n----';
    expect(await read(text)).toEqual({
      source: 'a.rst',
      title: 'The A',
      lang: 'pt-BR',
      metadata: { author: 'A. Writer', date: '2024-01-02' },
      blocks: [
        { kind: 'heading', level: 1, text: 'The A', anchor: 'the-a' },
        { kind: 'heading', level: 2, text: 'One', anchor: 'one' },
        { kind: 'heading', level: 3, text: 'Two (2)', anchor: 'my-label' },
        { kind: 'heading', level: 2, text: 'Three', anchor: 'three' },
        { kind: 'paragraph', text: 'Text.' },
        { kind: 'heading', level: 3, text: 'One' },
        { kind: 'heading', level: 3, text: '漢字' },
      ],
    });
  });

  it.each([
    [
      'marks',
      '*a* **b** ``c`d`` `e` `f <g>`_ `h`_ i_ `j`__ |k| [1]_ [L2]_ \\*m\\* n\\ *o* 2*3*4 _`p`',
      'a b c`d e f h i j |k| [L2] *m* no 2*3*4 p',
    ],
    [
      'roles',
      ':ref:`a b <c>` :class:`~d.e.F` :func:`!g` :doc:`/h` `i`:sub: :rfc:`7` :pep:`8`',
      'a b F g /h i RFC 7 PEP 8',
    ],
    ['substitutions', '.. |x| replace:: the *X*\n.. |y| image:: y.png\n\na |x| b |y|', 'a the X b'],
    ['names', 'a_b c__d e\\_ __init__ `f\\`g`', 'a_b c__d e_ __init__ f`g'],
  ])('reads the text of %s', async (_, text, expected) => {
    expect((await lines(text)).join(' ')).toBe(expected);
  });

  it.each([
    [
      'tight and loose lists',
      '- a\n  b\n- c\n\n1. d\n\n   e\n\n2. f\n\n#. g\n   h',
      ['a b', 'c', 'd', 'e', 'f', 'g h'],
    ],
    ['definitions', 'a : b\n   c\n\n   d\ne\n   f', ['a : b', 'c', 'd', 'e', 'f']],
    ['fields', 'x\n\n:param a: b\n   c\n:returns: d', ['x', 'param a:', 'b c', 'returns:', 'd']],
    ['quotes and lines', '  a\n\n  -- b\n\n| c\n| d\n|\n', ['a', '-- b', 'c', 'd']],
    [
      'code',
      'a::\n\n  b *c*\n\n    d\n\ne ::\n\n> f\n> g\n\n>>> h\ni\n\n::\n\n  j',
      ['a:', 'b *c*', '', '  d', 'e', '> f', '> g', '>>> h', 'i', 'j'],
    ],
    ['code blocks', '.. code-block:: c\n   :caption: A b\n   :name: x\n\n   d\n     e', ['A b', 'd', '  e']],
    [
      'admonitions',
      '.. note:: a\n   b\n\n   c\n.. admonition:: D *e*\n\n   f\n.. versionadded:: 3.1\n   g\n.. deprecated:: 4',
      ['a b', 'c', 'D e', 'f', 'Added in version 3.1: g', 'Deprecated since version 4'],
    ],
    [
      'a grid table',
      '+---+------+\n| a | b    |\n+===+======+\n| c | d *e*|\n|   | f    |\n+---+------+',
      ['a | b', 'c | d e f'],
    ],
    [
      'a simple table',
      '=== =====\n a   b c\n=== =====\n d   e\n     f\n g\n=== =====\n\nh',
      ['a | b c', 'd | e f', 'g |', 'h'],
    ],
    [
      'a CSV table',
      '.. csv-table:: T\n   :header: "a", "b, c"\n\n   d, "e ""f"""\n   g, ``h``',
      ['T', 'a | b, c', 'd | e "f"', 'g | h'],
    ],
    [
      'a list table',
      '.. list-table:: T\n   :header-rows: 1\n\n   * - a\n     - b\n   * - c *d*\n       e\n     - f',
      ['T', 'a | b', 'c d e | f'],
    ],
    [
      'a figure',
      '.. figure:: a.png\n   :alt: b\n\n   The *caption*.\n\n   Legend.',
      ['The caption.', 'Legend.'],
    ],
    ['footnotes', 'a [#]_ b [1]_\n\n.. [#] c\n   d\n.. [1] e', ['a b', 'c d', 'e']],
    [
      'what is no text',
      '.. a comment\n   b\n\n..\n   c\n\n.. toctree::\n   :maxdepth: 2\n\n   d\n\n.. image:: e\n.. raw:: html\n\n   f\n.. contents:: g\n.. _h: http://i\n.. __: j\n__ k\n   l\n\n-----\n\nm',
      ['m'],
    ],
    ['an empty comment', '..\n\n  a', ['a']],
    ['short underlines', 'a\n==\n\nLong title\n----\n\nb\n\nc\n--', ['# a', '## Long title', 'b', '## c']],
  ])('reads %s', async (_, text, expected) => {
    expect(await lines(text)).toEqual(expected);
  });

  it('links to labels, modules and functions', async () => {
    const text =
      '.. module:: os.path\n   :synopsis: x\n\nText.\n\n.. _here:\n\nMore.\n\n.. function:: join(a, *b)\n\n   Joins.\n\n.. class:: Path(x)\n\n   A path.\n\n   .. method:: up()\n\n      Up.';
    expect((await read(text))?.blocks.map(({ text, anchor }) => [text, anchor])).toEqual([
      ['Text.', 'module-os.path'],
      ['More.', 'here'],
      ['join(a, *b)\nJoins.', 'os.path.join'],
      ['Path(x)\nA path.', 'os.path.Path'],
      ['up()\nUp.', 'os.path.Path.up'],
    ]);
  });

  it.each([
    ['nested lists', '- '.repeat(50_000)],
    ['nested quotes', Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a`).join('\n\n')],
    ['open marks', '`a *b |c ``d '.repeat(20_000)],
    ['open tables', `+--+\n${'|a\n'.repeat(20_000)}`],
    ['borders', '=== ===\n'.repeat(20_000)],
    ['colons', ':a'.repeat(50_000)],
    ['a cut directive', '.. csv-table::\n   :header: "a'],
  ])('is read in spite of %s', async (_, text) => {
    const { notices } = await readBytes('a.rst', `Start.\n\n${text}`);
    expect(notices).toEqual([]);
  });

  it('keeps every word of plain paragraphs', async () => {
    const word = fc.stringMatching(/^[b-hä漢]{2,8}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(word, { minLength: 1 }), { minLength: 1 }), async (paragraphs) => {
        const texts = paragraphs.map((words) => words.join(' '));
        expect(await lines(texts.join('\n\n'))).toEqual(texts);
      }),
    );
  });
});
