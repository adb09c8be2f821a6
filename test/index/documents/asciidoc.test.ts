import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { convert } from '@asciidoctor/core';
import { describe, expect, it } from 'vitest';
import { debianPackage } from '../../fixtures/debian.ts';
import { outline, readBytes } from '../../fixtures/read.ts';

const read = async (text: string) => (await readBytes('a.adoc', text)).documents[0];
const lines = async (text: string) => outline((await readBytes('a.adoc', text)).documents).split('\n');

const PAGE = `= The *Saw*
A. Writer <a@example.org>
v1.0, 2024-01-02
:lang: pt_BR
:tool: rip saw

== One & {tool}

Text.

[[own]]
=== Two

== One & {tool}

[#id.role]
Three
-----

Last.
`;

describe('AsciiDoc', () => {
  it('has a title, a language, levels of headings, and anchors', async () => {
    expect(await read(PAGE)).toEqual({
      source: 'a.adoc',
      title: 'The Saw',
      lang: 'pt-BR',
      blocks: [
        { kind: 'heading', level: 1, text: 'The Saw' },
        { kind: 'heading', level: 2, text: 'One & rip saw', anchor: '_one_rip_saw' },
        { kind: 'paragraph', text: 'Text.' },
        { kind: 'heading', level: 3, text: 'Two', anchor: 'own' },
        { kind: 'heading', level: 2, text: 'One & rip saw', anchor: '_one_rip_saw_2' },
        { kind: 'heading', level: 2, text: 'Three', anchor: 'id' },
        { kind: 'paragraph', text: 'Last.' },
      ],
    });
  });

  it.each([
    [
      'marks',
      '*a b* _c_ `d` **e**f __g__ #h# [.x]#i# "`j`" 2*3*4 snake_case_x {nbsp}k {unknown}',
      ['a b c d ef g h i “j” 2*3*4 snake_case_x k {unknown}'],
    ],
    [
      'macros',
      'link:a.html[b *c*] http://d.e[f^] <<g,h>> <<i>> xref:j[k] image:l[m] kbd:[n] ((o)) (((p,q))) [[r]]s menu:t[u] footnote:[v [w]]',
      ['b c f h i k n o s t > u (v [w])'],
    ],
    ['lists', '* a\n  b\n** c\n- [x] d\n\n. e\n+\nf\n\n1. g', ['a b', 'c', 'd', 'e', 'f', 'g']],
    ['terms', 'a:: b\nc\nd::\n  e', ['a', 'b c', 'd', 'e']],
    [
      'a table',
      '.T\n[cols="1,2"]\n|===\n|a |*b*\n\n|c\n|d\ne\n2+|f \\| g\n|h\n|===',
      ['T', 'a | b', 'c | d e', 'f | g | h'],
    ],
    ['a table of comma-separated values', ',===\na,b\nc,d\n,===', ['a | b', 'c | d']],
    [
      'code',
      '[source,c]\n----\na *b* // <1>\n\n  c\n----\n<1> d\n\n```sh\ne\n```\n\n f  g\n  h\n\n....\ni\n....',
      ['a *b*', '', '  c', 'd', 'e', ' f  g', '  h', 'i'],
    ],
    [
      'admonitions and containers',
      'NOTE: a\nb\n\n[WARNING]\n.C\n====\nd\n====\n\n****\ne\n****\n\n[quote, F]\n____\ng +\nh\n____\n--\ni\n--',
      ['a b', 'C', 'd', 'e', 'g', 'h', 'i'],
    ],
    [
      'conditions',
      ':a:\nifdef::a[]\nb\nendif::[]\nifndef::a[]\nc\nifdef::a[]\nd\nendif::[]\nendif::[]\n\nifdef::x[e]\nf',
      ['b', 'f'],
    ],
    [
      'what is no text',
      "// a\n////\nb\n////\ninclude::c[]\nimage::d[e]\n++++\nf\n++++\n:g: h\ntoc::[]\n'''\ni",
      ['i'],
    ],
    ['unclosed blocks', '----\na\n\n|===\n|b', ['---- a', '|b']],
  ])('reads %s', async (_, text, expected) => {
    expect(await lines(text)).toEqual(expected);
  });

  it.each([
    'xref:a.b[',
    'link:[',
    '<<a,',
    '*a ',
    '`a ',
    'footnote:[',
    '((',
    '{a}',
    '----\n',
    '....\n',
    '|===\n|a\n',
    'a:: b\n',
    ':a: {a}{a}\n',
    'ifdef::a[]\n',
    '[[a]]\n',
    '== A\n',
  ])('is read in spite of many %j', async (part) => {
    const { documents } = await readBytes('a.adoc', `Start.\n\n${part.repeat(20_000)}`);
    expect(documents[0]?.blocks[0]?.text).toBe('Start.');
  });

  const folder = debianPackage('git-doc');
  it.skipIf(!folder)('has the headings and ids of Asciidoctor', async () => {
    const docs = join(folder!, 'usr/share/doc/git/html');
    const files = readdirSync(docs)
      .filter((file) => /^git-[a-f].*\.txt$/.test(file))
      .sort();
    const found = { expected: 0, same: 0, own: 0 };
    for (const file of files.filter((_, i) => i % 3 === 0)) {
      const text = readFileSync(join(docs, file), 'utf8');
      const html = String(await convert(text, { safe: 'secure', attributes: { showtitle: true } }));
      const headings = [...html.matchAll(/<h[1-6](?: id="([^"]*)")?[^>]*>(.*?)<\/h[1-6]>/g)].map(
        ([, id = '', inner = '']) => `${id} ${plain(inner)}`,
      );
      const { documents } = await readBytes(file.replace('.txt', '.adoc'), text);
      const own = documents[0]!.blocks.flatMap(({ kind, anchor = '', text }) =>
        kind === 'heading' ? [`${anchor} ${plain(text)}`] : [],
      );
      found.expected += headings.length;
      found.own += own.length;
      found.same += own.filter((heading) => headings.includes(heading)).length;
    }
    expect(found.expected).toBeGreaterThan(150);
    expect(found.same / found.expected).toBeGreaterThan(0.97);
    expect(found.same / found.own).toBeGreaterThan(0.97);
  });
});

function plain(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&[#\w]+;/g, ' ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
