import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

const read = async (text: string, name = 'a.org') => (await readBytes(name, text)).documents[0];
const lines = async (text: string) => outline((await readBytes('a.org', text)).documents).split('\n');

describe('Org', () => {
  it('has a title above its headings, settings, and anchors', async () => {
    const text =
      '#+TITLE: The *A*\n#+language: pt_BR\n#+AUTHOR: B C\n#+FILETAGS: :d:e:\n#+OPTIONS: toc:nil\n\n* TODO [#A] One /two/ [1/2] :tag:f@g:\nSCHEDULED: <2024-01-02 Tue>\n:PROPERTIES:\n:ID: x\n:CUSTOM_ID: one\n:END:\n:LOGBOOK:\nCLOCK: [2024-01-02 Tue]\n:END:\nText.\n** WAITING Three\n#+TODO: WAITING(w) | STOPPED\n* COMMENT no\nno\n** no\n* Four: five';
    expect(await read(text)).toEqual({
      source: 'a.org',
      title: 'The A',
      lang: 'pt-BR',
      metadata: { author: 'B C', filetags: ['d', 'e'] },
      blocks: [
        { kind: 'heading', level: 1, text: 'The A' },
        { kind: 'heading', level: 2, text: 'One two', anchor: 'one' },
        { kind: 'paragraph', text: 'Text.' },
        { kind: 'heading', level: 3, text: 'Three' },
        { kind: 'heading', level: 2, text: 'Four: five' },
      ],
    });
  });

  it('without a title, has that of its only heading of level 1', async () => {
    expect((await read('* A\n** B\n'))?.title).toBe('A');
    expect((await read('* A\n* B\n'))?.title).toBeUndefined();
    expect((await read('* Install\n* B\n', 'saw/README.org'))?.title).toBe('saw');
  });

  it.each([
    [
      'marks',
      '*a b* /c/ _d_ +e+ =f*g= ~h~ 2*3*4 a/b/c snake_case_x i^{j}',
      ['a b c d e f*g h 2*3*4 a/b/c snake_case_x ij'],
    ],
    ['links', '[[https://a.b][c *d*]] [[file:e.org]] [[./f.png]]  <<j>> <<<k>>>', ['c d e.org k']],
    ['footnotes', 'a[fn:1] b[fn:: c]\n\n[fn:1] d', ['a b (c)', 'd']],
    ['lists', '- a\n  b\n- [X] c\n  1. d\n\n- e :: f\n  g\n+ h', ['a b', 'c', 'd', 'e', 'f g', 'h']],
    [
      'a table',
      '#+CAPTION: T\n#+NAME: x\n| a | *b* |\n|---+-----|\n| c | |\n#+TBLFM: $1=2\nd',
      ['T', 'a | b', 'c | ', 'd'].map((line) => line.trimEnd()),
    ],
    [
      'code',
      '#+BEGIN_SRC c :x y\n  a *b*\n\n    ,* c\n#+END_SRC\n#+RESULTS:\n: d  e\n: f\ng',
      ['a *b*', '', '  * c', 'd  e', 'f', 'g'],
    ],
    [
      'other blocks',
      '#+begin_quote\na\n#+end_quote\n#+begin_export html\nb\n#+end_export\n#+begin_verse\nc\n d\n#+end_verse\n#+begin_comment\ne\n#+end_comment',
      ['a', 'c', ' d'].map((line) => line.trim()),
    ],
    ['breaks', 'a \\\\\nb\nc', ['a', 'b c']],
    ['what is no text', '# a\n-----\n#+INCLUDE: b\n{{{c(d)}}}e', ['e']],
    ['unclosed blocks', '#+begin_src\na\n* b\n:X:\nc', ['a', '# b', ':X: c']],
  ])('reads %s', async (_, text, expected) => {
    expect(await lines(text)).toEqual(expected);
  });

  it.each([
    '/a ',
    '=a',
    '[[a',
    '[[a][b',
    'word\n',
    '#+begin_src\n',
    ':A:\n',
    '* a\n:PROPERTIES:\n',
    '{{{',
    '| a\n',
    '- a ::',
  ])('is read in spite of many %j', async (part) => {
    expect((await readBytes('a.org', `Start.\n\n${part.repeat(20_000)}`)).notices).toEqual([]);
  });

  it.skipIf(missingTools('pandoc'))('from pandoc has the text of its Markdown', async () => {
    const markdown =
      '---\ntitle: Saws\n---\n\n# Kinds {#kinds}\n\nA *sharp* **saw** with `teeth`, see [here](https://example.org).\n\n| Kind | Use |\n|------|-----|\n| rip | along |\n| cut | across |\n\n## Care\n\n1. Clean it.\n2. Oil it.\n\n> Quoted.\n\n```sh\nsaw --dry\n```\n';
    const org = execFileSync('pandoc', ['-s', '-f', 'markdown', '-t', 'org'], { input: markdown });
    const document = await read(org.toString());
    expect(document?.title).toBe('Saws');
    expect(document?.blocks).toEqual([
      { kind: 'heading', level: 1, text: 'Saws' },
      { kind: 'heading', level: 2, text: 'Kinds', anchor: 'kinds' },
      { kind: 'paragraph', text: 'A sharp saw with teeth, see here.' },
      { kind: 'paragraph', text: 'Kind | Use\nrip | along\ncut | across' },
      { kind: 'heading', level: 3, text: 'Care', anchor: 'care' },
      { kind: 'paragraph', text: 'Clean it.\nOil it.' },
      { kind: 'paragraph', text: 'Quoted.' },
      { kind: 'paragraph', text: 'saw --dry' },
    ]);
  });
});
