import { describe, expect, it } from 'vitest';
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
      '*a b* _c_ `d` **e**f __g__ #h# [.x]#i# "`j`" 2*3*4 snake_case_x{nbsp}k {unknown}',
      ['a b c d ef g h i “j” 2*3*4 snake_case_x\u00A0k {unknown}'],
    ],
    [
      'macros',
      'link:a.html[b *c*] http://d.e[f^] <<g,h>> <<i>> xref:j[k] image:l[m] kbd:[n] ((o)) (((p,q))) [[r]]s menu:t[u] v footnote:[w]',
      ['b c f h [i] k n o s t\u00A0› u v', '1. w'],
    ],
    ['lists', '* a\n  b\n** c\n- d\n\n. e\n+\nf\n\n1. g', ['a b', 'c', 'd', 'e', 'f', 'g']],
    ['terms', 'a:: b\nc\nd::\n  e', ['a', 'b c', 'd', 'e']],
    [
      'a table',
      '.T\n[cols="1,2"]\n|===\n|a |*b*\n\n|c\n|d\ne\n|f \\| g\n|h\n|===',
      ['T', 'a | b', 'c | d e', 'f | g | h'],
    ],
    ['a table of comma-separated values', ',===\na,b\nc,d\n,===', ['a | b', 'c | d']],
    [
      'code',
      '[source,c]\n----\na *b* // <1>\n\n  c\n----\n<1> d\n\n```sh\ne\n```\n\n f  g\n  h\n\n....\ni\n....',
      ['a *b* // ', '', '  c', 'd', 'e', 'f  g', ' h', 'i'],
    ],
    [
      'admonitions and containers',
      'NOTE: a\nb\n\n[WARNING]\n.C\n====\nd\n====\n\n****\ne\n****\n\n[quote, F]\n____\ng +\nh\n____\n--\ni\n--',
      ['a b', 'C', 'd', 'e', 'g', 'h', '— F', 'i'],
    ],
    [
      'conditions',
      ':a:\nifdef::a[]\nb\nendif::[]\nifndef::a[]\nc\nifdef::a[]\nd\nendif::[]\nendif::[]\n\nifdef::x[e]\nf',
      ['b', 'f'],
    ],
    [
      'what is no text',
      "// a\n////\nb\n////\ninclude::c[]\n\nimage::d[e]\n\n++++\n<script>f</script>\n++++\n:g: h\ntoc::[]\n'''\ni",
      ['i'],
    ],
    ['unclosed blocks', '----\na\n\n|===\n|b', ['a', '', '|===', '|b']],
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
    const { documents } = await readBytes('a.adoc', `Start.\n\n${part.repeat(200)}`);
    expect(documents[0]?.blocks[0]?.text).toBe('Start.');
  });
});
