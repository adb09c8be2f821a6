import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

const read = async (text: string) => (await readBytes('a.tex', text)).documents[0];
const lines = async (text: string) => outline((await readBytes('a.tex', text)).documents).split('\n');

describe('TeX', () => {
  it('has a title above its headings, an author and a language', async () => {
    const text = String.raw`% comment
\documentclass[a4paper]{article}
\usepackage[english,ngerman]{babel}
\newcommand{\pkg}[1]{\textsf{#1}}
\def\saw{S\"age}
\title{Die \saw \\ f\"ur Holz\thanks{Dank}}
\author{A. B \and C}
\begin{document}
\maketitle
\section[Kurz]{Eins \label{x}}
Text mit \pkg{Namen}\footnote{Eine \emph{Note}.} und "Uber\-gang.

\subsection*{Zwei}
\saw{}!
\input{other}
\end{document}
after`;
    expect(await read(text)).toEqual({
      source: 'a.tex',
      title: 'Die Säge für Holz',
      lang: 'de',
      metadata: { author: 'A. B, C' },
      blocks: [
        { kind: 'heading', level: 1, text: 'Die Säge für Holz' },
        { kind: 'heading', level: 2, text: 'Eins' },
        { kind: 'paragraph', text: 'Text mit Namen und Übergang.' },
        { kind: 'paragraph', text: 'Eine Note.' },
        { kind: 'heading', level: 3, text: 'Zwei' },
        { kind: 'paragraph', text: 'Säge!' },
      ],
    });
  });

  it.each([
    [
      'accents',
      String.raw`\'e\"{o}\c c\v{s}\ss{} \o re \^\i \~n \AA\ \H{o}`,
      ['éöçšß øre îñ Å ő'.replace('îñ', 'î ñ')],
    ],
    [
      'characters of two UTF-16 code units',
      String.raw`\b 𝑥y \def\a#1{[#1]}\a𝑥y \verb🙂a🙂 \🙂`,
      ['𝑥\u0331y [𝑥]y a 🙂'],
    ],
    [
      'signs',
      String.raw`\& 5\,\% \$1 a\_b \{c\} ~d --- e--f \ldots{} ${'``'}g'' \LaTeX{} \textbackslash`,
      ['& 5 % $1 a_b {c} d — e–f … “g” LaTeX \\'],
    ],
    ['comments', 'a % b\nc%\n  d\n\n% e\nf', ['a cd', 'f']],
    [
      'mathematics',
      String.raw`a $x_1 + \left(y\right)$ and \(z\), $5 or \[ \frac{a}{b}\,. \]` +
        '\n\\begin{align}\na &= b \\\\\nc &= d \\label{e}\n\\end{align}',
      [String.raw`a x_1 + (y) and z, $5 or \frac{a}{b} . a = b c = d`],
    ],
    [
      'lists',
      '\\begin{itemize}\n\\item a\n  b\n\\item c\n\\end{itemize}\n\\begin{description}\n\\item[d] e\n\n\\item[f] g\n\\end{description}',
      ['a b', 'c', 'd', 'e', 'f', 'g'],
    ],
    [
      'a table',
      '\\begin{table}[ht]\\caption{T}\n\\begin{tabular}{l|l}\n\\hline\na & \\textbf{b} \\\\ \\hline\n\\multicolumn{1}{c}{c} & d\\\\[2pt]\n\\end{tabular}\\end{table}',
      ['T', 'a | b', 'c | d'],
    ],
    [
      'code',
      '\\begin{verbatim}\na  {b} % c\n\n  \\d\n\\end{verbatim}\n\\verb|$e{| \\lstinline[x]+f+\n\\begin{lstlisting}[language=C]\ng;\n\\end{lstlisting}',
      ['a  {b} % c', '', '  \\d', '$e{ f', 'g;'],
    ],
    [
      'links',
      String.raw`\href{http://a_b}{c} \url{http://d/e_f%g} \hyperref[x]{h} \textcolor{red}{i} see~\cite[p.~1]{j}.`,
      ['c http://d/e_f%g h i see .'],
    ],
    [
      'what is no text',
      '\\setlength{\\a}{1pt}\\vspace*{2em}\\includegraphics[width=1cm]{b}\\index{c}\\iffalse d\\fi\\begin{comment}\ne\n\\end{comment}\\begin{tikzpicture}\\draw f;\\end{tikzpicture}g',
      ['g'],
    ],
    [
      'slides',
      '\\begin{frame}{A}\nb\n\\end{frame}\n\\begin{frame}\n\\frametitle{C}\nd\n\\end{frame}',
      ['# A', 'b', '# C', 'd'],
    ],
    [
      'macros',
      '\\newcommand\\x[2][y]{#1-#2}\\x{a} \\x[z]{b} \\unknown[opt]{c}\\texorpdfstring{d}{e}',
      ['y-a z-b cd'],
    ],
    ['unclosed parts', 'a\n\n\\section{b', ['a', '# b']],
  ])('reads %s', async (_, text, expected) => {
    expect(await lines(text)).toEqual(expected);
  });

  it.each([
    '{a',
    '}',
    '\\section{',
    '\\section[',
    '\\cite{',
    '$a ',
    '\\begin{verbatim}',
    '\\begin{equation}',
    '\\item a\n',
    'a & b \\\\ ',
    '\\footnote{a}',
    '\\verb|',
    '\\(',
    '\\newcommand{\\a',
  ])('is read, or fails with a reason, with many %j', async (part) => {
    const { documents, notices } = await readBytes('a.tex', `Start.\n\n${part.repeat(20_000)}`);
    if (part.startsWith('\\section{')) expect(notices[0]?.reason).toBe('nested more than 100 levels deep');
    else expect(documents[0]?.blocks[0]?.text).toMatch(/^Start/);
  });

  it('is read in spite of macros that grow', async () => {
    const text = `\\def\\a{\\b\\b}\\def\\b{\\c\\c}\\def\\c{\\d\\d}\\def\\d{\\a\\a}Start. ${'\\a'.repeat(10_000)}`;
    expect((await lines(text))[0]).toMatch(/^Start/);
  });

  it.skipIf(missingTools('pandoc'))('from pandoc has the text of its Markdown', async () => {
    const markdown =
      '---\ntitle: Saws\n---\n\n# Kinds\n\nA *sharp* **saw** with `teeth_1` & 5 %, see [here](https://example.org).\n\n| Kind | Use |\n|------|-----|\n| rip | along |\n| cut | across |\n\n## Care\n\n1. Clean it.\n2. Oil it.\n\n> Quoted.\n\n```sh\nsaw --dry\n```\n';
    const tex = execFileSync('pandoc', ['-s', '--no-highlight', '-f', 'markdown', '-t', 'latex'], {
      input: markdown,
    });
    const document = await read(tex.toString());
    expect(document?.title).toBe('Saws');
    expect(document?.blocks).toEqual([
      { kind: 'heading', level: 1, text: 'Saws' },
      { kind: 'heading', level: 2, text: 'Kinds' },
      { kind: 'paragraph', text: 'A sharp saw with teeth_1 & 5 %, see here.' },
      { kind: 'paragraph', text: 'Kind | Use\nrip | along\ncut | across' },
      { kind: 'heading', level: 3, text: 'Care' },
      { kind: 'paragraph', text: 'Clean it.\nOil it.' },
      { kind: 'paragraph', text: 'Quoted.' },
      { kind: 'paragraph', text: 'saw --dry' },
    ]);
  });
});
