import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { debianPackage } from '../../fixtures/debian.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

const lines = async (text: string, name = 'saw.1') => outline((await readBytes(name, text)).documents);
const man = async (body: string) =>
  (await lines(`.TH SAW 1 2024\n.SH NAME\nsaw \\- cuts wood\n.SH X\n${body}`)).split('\n').slice(4);
describe('manual pages', () => {
  it('have their name and section as the title, and the language of their folder', async () => {
    const { documents } = await readBytes(
      'usr/share/man/pt_BR/man1/saw.1',
      '.TH SAW "1" x\n.SH NOME\nsaw \\- serra\n',
    );
    expect(documents).toEqual([
      {
        source: 'usr/share/man/pt_BR/man1/saw.1',
        title: 'saw(1)',
        lang: 'pt-BR',
        blocks: [
          { kind: 'heading', level: 1, text: 'saw(1)' },
          { kind: 'heading', level: 2, text: 'NOME' },
          { kind: 'paragraph', text: 'saw - serra' },
        ],
      },
    ]);
  });

  it.each([
    ['headings', '.SH "A b"\nc\n.SS\nD e\nf', ['## A b', 'c', '### D e', 'f']],
    [
      'terms',
      '.TP\n.BR \\-a ", " \\-\\-all\nShow\nall.\n.TP 4\n.I b\nc\n.IP d 2\ne\n.IP \\(bu\nf',
      ['-a, --all', 'Show all.', 'b', 'c', 'd', 'e', 'f'],
    ],
    ['fonts', '.B a\n.BI b c "d e"\n.I \\&.f\n\\fBg\\fP\\f(CWh\\fR\\s-1I\\s0j\\c\nk', ['a bcd e .f ghIjk']],
    [
      'characters',
      "\\(aqa\\(aq \\[u2019]\\(em\\[u0041_0301]\\['e]\\(:o\\(co\\e\\-\\ b \\*(lqc\\*(rq",
      ["'a' ’—ÁéÖ©\\- b “c”".replace('Ö', 'ö')],
    ],
    ['code', '.nf\na  b\n\n  c\n.fi\nd', ['a  b', '', '  c', 'd']],
    ['a table', '.TS\ntab(;) allbox;\nl l\nl l.\nA;B\n_\nc;T{\nd\ne\nT}\n.TE', ['A | B', 'c | d e']],
    [
      'conditions',
      '.if n a\n.if t b\n.ie t \\{\\\n.B c\nd\n.\\}\n.el \\{\ne\n.if !\\n(.g==1 f\n.\\}',
      ['a e'],
    ],
    [
      'macros of the page',
      '.de XX \\" comment\n.B \\\\$1\n\\\\$2\n..\n.XX a "b c"\n.de IX\n..\n.IX z\n.ds St d\n\\*(St',
      ['a b c d'],
    ],
    ['dashes of pod2man', '.tr \\(*W-\n.ds -- \\(*W-\na\\*(--b', ['a—b']],
    ['comments', '.\\" a\nb \\" c\n.ig\nd\n..\n\\# e\n.B f \\" g', ['b f']],
    ['unknown macros', '.XYZ a\nb', ['b']],
  ])('with %s', async (_, body, expected) => {
    expect(await man(body)).toEqual(expected);
  });

  it.each([
    ['log.1', 'Started.\n', 'unknown format'],
    ['libz.so.1', '\x7fELF\u0001.SH', 'unknown format'],
    ['a.1', '.so man1/b.1\n', 'only names another manual page'],
    ['b.1', '.Dd May 1, 2024\n.Dt B 1\n.Sh NAME\n', 'manual page with mdoc macros'],
  ])('skips %s', async (name, text, reason) => {
    const { documents, notices } = await readBytes(name, text);
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([{ kind: 'skipped', place: name, reason }]);
  });

  it.each([
    ['a macro that calls itself', '.de A\nx\n.A\n.A\n..\n.A'],
    ['a string of itself', '.ds a \\*a\\*a\\*a\n\\*a'],
    ['unclosed blocks', '.if t \\{\n.de x\ny'],
    ['many escapes', '\\f[\\*(\\n(\\h\\w'.repeat(5_000)],
    ['a long string', `.ds a ${'b'.repeat(1_000)}\n${'.as a \\*a\\*a\n'.repeat(100)}\\*a`],
  ])('reads the rest in spite of %s', async (_, body) => {
    expect((await lines(`.TH A 1\n.SH NAME\nsaw\n.PP\n${body}\n`)).slice(0, 18)).toBe('# A(1)\n## NAME\nsaw');
  });

  const packages = ['manpages', 'manpages-es', 'manpages-it', 'manpages-pt-br', 'manpages-ru'];
  const isMissing = missingTools('groff') || packages.some((name) => !debianPackage(name));
  it.skipIf(isMissing).each(packages)(
    'contain the words and headings that groff prints: %s',
    async (name) => {
      const folder = join(debianPackage(name)!, 'usr/share/man');
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.endsWith('.gz'),
      );
      const want = { words: 0, found: 0, printed: 0 };
      for (const file of files.sort().filter((_, i) => i % Math.ceil(files.length / 8) === 0)) {
        const source = gunzipSync(readFileSync(join(folder, file)));
        if (/^\.so /m.test(source.subarray(0, 300).toString())) continue;
        const options = ['-Tutf8', '-mandoc', '-Kutf8', '-t', '-rLL=2000n', '-rHY=0', '-P-cbou'];
        const printed = execFileSync('groff', options, { input: source, stdio: ['pipe', 'pipe', 'ignore'] });
        const body = printed
          .toString()
          .split('\n')
          .filter((line) => line.trim() !== '')
          .slice(1, -1);
        const { documents } = await readBytes(file.slice(0, -3), source);
        const got = wordsOf(outline(documents));
        const expected = wordsOf(body.join('\n'));
        want.words += expected.length;
        want.printed += got.length;
        want.found += common(expected, got);
      }
      expect(want.words).toBeGreaterThan(1_000);
      expect(want.found / want.words).toBeGreaterThan(0.99);
      expect(want.found / want.printed).toBeGreaterThan(0.97);
    },
  );
});

function wordsOf(text: string): string[] {
  return text.normalize('NFKC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** How many words two texts have in common. */
function common(a: string[], b: string[]): number {
  const counts = new Map<string, number>();
  for (const word of b) counts.set(word, (counts.get(word) ?? 0) + 1);
  return a.filter((word) => {
    const count = counts.get(word) ?? 0;
    counts.set(word, count - 1);
    return count > 0;
  }).length;
}
