import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { debianPackage } from '../../fixtures/debian.ts';
import { compare, pdftotext } from '../../fixtures/pdf-reference.ts';
import { readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

/**
 * Real PDF files of Debian packages, and what of `pdftotext`'s words and order is read: the share of words, and Kendall's tau of the
 * order. Where a tau is lower, `pdftotext` reads the columns of tables one after the other, or columns of a page in another order.
 */
const FILES: { [half: string]: [path: string, recall: number, tau: number][] } = {
  'used for decisions': [
    ['debian-refcard/usr/share/doc/debian-refcard/refcard-de-a4.pdf.gz', 0.99, 0.97],
    ['debian-refcard/usr/share/doc/debian-refcard/refcard-ru-a4.pdf.gz', 0.99, 0.91],
    ['r-cran-zoo/usr/lib/R/site-library/zoo/doc/zoo.pdf', 0.99, 0.98],
    ['graphviz-doc/usr/share/doc/graphviz/pdf/neatoguide.pdf.gz', 0.99, 0.98],
    ['graphviz-doc/usr/share/doc/graphviz/pdf/smyrna.pdf.gz', 0.99, 0.98],
    ['glpk-doc/usr/share/doc/glpk-doc/gmpl_pt-BR.pdf', 0.99, 0.98],
    ['bzip2-doc/usr/share/doc/bzip2/manual.pdf.gz', 0.99, 0.98],
    ['fasta3-doc/usr/share/doc/fasta3/fasta_guide.pdf', 0.99, 0.98],
    ['asymptote-doc/usr/share/doc/asymptote/asyRefCard.pdf', 0.99, 0.83],
    ['auctex/usr/share/doc/auctex/tex-ref.pdf', 0.98, 0.93],
    ['libatlas-doc/usr/share/doc/libatlas-base-dev/cblasqref.pdf.gz', 0.97, 0.98],
    ['xfig-doc/usr/share/doc/xfig/xfig-howto.pdf', 0.99, 0.98],
    ['maint-guide-zh-cn/usr/share/doc/maint-guide-zh-cn/maint-guide.zh-cn.pdf', 0.99, 0.98],
    ['debian-faq-fr/usr/share/doc/debian/FAQ/debian-faq.fr.pdf.gz', 0.988, 0.98],
    ['lisaac-doc/usr/share/doc/lisaac-doc/pdf/quick_start.pdf.gz', 0.99, 0.98],
  ],
  'not used for decisions': [
    ['debian-refcard/usr/share/doc/debian-refcard/refcard-ja-a4.pdf.gz', 0.99, 0.9],
    ['debian-refcard/usr/share/doc/debian-refcard/refcard-zh_CN-a4.pdf.gz', 0.99, 0.97],
    ['libatlas-doc/usr/share/doc/libatlas-base-dev/lapackqref.pdf.gz', 0.99, 0.83],
    ['libatlas-doc/usr/share/doc/libatlas-base-dev/f77blasqref.pdf.gz', 0.975, 0.98],
    ['groff/usr/share/doc/groff-base/examples/mom/sample_docs.pdf.gz', 0.99, 0.98],
    ['bash-doc/usr/share/doc/bash/bashref.pdf', 0.99, 0.98],
    ['graphviz-doc/usr/share/doc/graphviz/pdf/leftyguide.pdf.gz', 0.94, 0.98],
    ['glpk-doc/usr/share/doc/glpk-doc/gmpl_es.pdf', 0.99, 0.98],
    ['r-cran-rodbc/usr/lib/R/site-library/RODBC/doc/RODBC.pdf', 0.99, 0.98],
    ['speex-doc/usr/share/doc/speex/manual.pdf.gz', 0.99, 0.98],
    ['menhir-doc/usr/share/doc/menhir/manual.pdf.gz', 0.99, 0.98],
    ['coinor-csdp-doc/usr/share/doc/coinor-csdp/csdpuser.pdf', 0.99, 0.98],
    ['instead-doc-ru/usr/share/doc/instead/manual/pdf/ru/modules3-ru.pdf', 0.99, 0.98],
    ['graphviz-doc/usr/share/doc/graphviz/pdf/dotguide.pdf.gz', 0.99, 0.98],
    ['debian-faq-it/usr/share/doc/debian/FAQ/debian-faq.it.pdf.gz', 0.989, 0.98],
  ],
};

const folder = mkdtempSync(join(tmpdir(), 'polyseek-pdf-real-'));

describe.skipIf(missingTools('pdftotext'))('a real PDF file', () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  describe.each(Object.entries(FILES))('%s', (_, files) => {
    it.skipIf(files.some(([path]) => packageOf(path) === undefined)).each(files)(
      'has the words of pdftotext in its order: %s',
      async (path, recall, tau) => {
        const content = readFileSync(join(packageOf(path)!, path.slice(path.indexOf('/'))));
        const bytes = path.endsWith('.gz') ? gunzipSync(content) : content;
        const file = join(folder, 'file.pdf');
        writeFileSync(file, bytes);
        const { documents } = await readBytes('file.pdf', bytes);
        const text = documents.flatMap(({ blocks }) => blocks.map((block) => block.text)).join('\n');
        const anchors = new Set(documents.flatMap(({ blocks }) => blocks.map(({ anchor }) => anchor)));
        const isKept = (page: string, number: number) =>
          anchors.has(`page=${number}`) || !isListOfPages(page);
        const found = compare(text, pdftotext(file, isKept));
        expect(found.recall, found.missed.slice(0, 50).join(' ')).toBeGreaterThanOrEqual(recall);
        expect(found.tau).toBeGreaterThanOrEqual(tau);
      },
    );
  });
});

/** Whether many lines end with a number, as in tables of contents and indexes, which the reader leaves out. */
function isListOfPages(page: string): boolean {
  const lines = page.split('\n').filter((line) => line.trim() !== '');
  return lines.filter((line) => /\d$/.test(line)).length >= 0.25 * lines.length;
}

function packageOf(path: string): string | undefined {
  return debianPackage(path.slice(0, path.indexOf('/')));
}
