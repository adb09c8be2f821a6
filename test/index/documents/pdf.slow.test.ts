import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Block, Document } from '../../../index/documents/document.ts';
import {
  blocksOfHtml,
  declaration,
  exported,
  type Printer,
  pagesOfPdf,
  pdfFile,
  startPrinter,
  styled,
} from '../../fixtures/pdf-files.ts';
import { compare } from '../../fixtures/pdf-reference.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

const LAYOUTS = {
  'one column with running heads': `@page { size: A4; margin: 20mm; @top-center { content: "The Declaration" }
    @bottom-center { content: counter(page) } } body { font: 11pt serif; text-align: justify }`,
  'two columns': `@page { size: A4; margin: 18mm; @bottom-center { content: counter(page) } }
    body { font: 10pt serif; text-align: justify; hyphens: auto; columns: 2; column-gap: 6mm }
    h1 { column-span: all } h2 { font-size: 11pt; margin: .8em 0 .3em } p { margin: 0; text-indent: 1.2em }`,
  'three columns': `@page { size: A4 landscape; margin: 15mm } body { font: 9pt sans-serif; columns: 3; column-gap: 7mm }
    h1 { column-span: all }`,
};

/** Editions of the Declaration, and the share of their words that are read from the file. */
const EDITIONS: [string, string, number][] = [
  ['English', 'eng', 1],
  ['German', 'deu_1996', 1],
  ['Russian', 'rus', 1],
  ['Greek', 'ell_monotonic', 1],
  ['Arabic', 'arb', 0.99],
  ['Hebrew', 'heb', 1],
  ['Hindi', 'hin', 1],
  ['Thai', 'tha', 1],
  ['Chinese', 'cmn_hans', 1],
  ['Japanese', 'jpn', 1],
  // Its words are divided at line ends without a hyphen.
  ['Korean', 'kor', 0.93],
];

const headings = (blocks: Block[]) =>
  blocks
    .filter(({ kind }) => kind === 'heading')
    .map(({ level, text }) => `${level} ${text.normalize('NFKC')}`);
const textOf = (blocks: Block[]) => blocks.map(({ text }) => text).join('\n');
const only = (documents: Document[]) => {
  expect(documents).toHaveLength(1);
  return documents[0]!;
};

describe.skipIf(missingTools('chromium'))('a PDF file printed by Chromium', () => {
  let printer: Printer;

  beforeAll(async () => {
    printer = await startPrinter();
  });

  afterAll(() => printer.close());

  describe.each(EDITIONS)('in %s', (_, code, recall) => {
    it.each(Object.entries(LAYOUTS))('with %s has the text in order, and its headings', async (_, css) => {
      const html = declaration(code);
      const source = await blocksOfHtml(html);
      const file = await printer.print(styled(html, css));
      const { documents, notices } = await readBytes('declaration.pdf', file);
      const { blocks, lang } = only(documents);
      expect(notices).toEqual([]);
      expect(headings(blocks)).toEqual(headings(source));
      const found = compare(textOf(blocks), textOf(source));
      expect(found.recall, found.missed.join(' ')).toBeGreaterThanOrEqual(recall);
      expect(found.tau).toBeGreaterThan(0.9999);
      // Numbers of lists are in the file but not in the page.
      expect(found.precision).toBeGreaterThan(recall - 0.1);
      expect(html).toContain(`lang="${lang}"`);
      const anchors = blocks.flatMap(({ anchor }) => anchor ?? []);
      expect(anchors).toEqual(pagesOfPdf(file).map((page) => `page=${page}`));
    });
  });

  it('with an outline has its headings from there', async () => {
    const html = `<title>Notes</title><h1>Notes on boats</h1><p>Boats float.</p><h2>Sails</h2><p>Sails pull.</p>
      <p style="font-size: 40px">A large remark</p><h3>Jib</h3><p>The jib is in front.</p>`;
    const { documents } = await readBytes('notes.pdf', await printer.print(html, { outline: true }));
    expect(outline(documents)).toBe(
      '# Notes on boats\nBoats float.\n## Sails\nSails pull.\nA large remark\n### Jib\nThe jib is in front.',
    );
    expect(only(documents).title).toBe('Notes');
  });

  it('has tables as a line per row', async () => {
    const html = `<style>td, th { padding: 2px 30px; text-align: left; width: 8em; vertical-align: top }</style>
      <p>Harbours and their depths, as measured.</p><table><tr><th>Harbour<th>Depth<th>Remark</tr><tr><td>North<td>12 m
      <td>closed in winter, and in spring if there is ice</tr><tr><td>South<td>7 m<td>small boats only</tr></table>`;
    const { documents } = await readBytes('harbours.pdf', await printer.print(html));
    expect(outline(documents)).toBe(
      [
        'Harbours and their depths, as measured.',
        'Harbour | Depth | Remark',
        'North | 12 m | closed in winter, and in spring if there is ice',
        'South | 7 m | small boats only',
      ].join('\n'),
    );
  });

  it('has words that were divided at line ends as they are elsewhere', async () => {
    const narrow = (lines: string) => `<p style="width: 20em">${lines}</p>`;
    const html = `<p>The wellknown harbour has a long-term plan.</p>${narrow(
      'This line of the text ends in the well-<br>known harbour, and this one has a long-<br>term plan of the harbour.',
    )}`;
    const { documents } = await readBytes('words.pdf', await printer.print(html));
    expect(outline(documents)).toContain(
      'This line of the text ends in the wellknown harbour, and this one has a long-term plan of the harbour.',
    );
  });

  it('of a scan is reported', async () => {
    const scan = await printer.scan('<h1>Scanned</h1><p>This page is a picture.</p>');
    const page = `<img src="data:image/png;base64,${scan.toString('base64')}" style="height: 600px">`;
    const { documents, notices } = await readBytes('scan.pdf', await printer.print(page));
    expect(documents).toEqual([]);
    expect(notices).toEqual([
      {
        kind: 'failed',
        place: 'scan.pdf',
        reason: 'no text',
        fix: 'Recognize its text (OCR), for example with ocrmypdf, and build again.',
      },
    ]);
    const next = '<div style="break-before: page"></div>';
    const mixed = `<p>A cover letter.</p>${next}${page}${next}${page}${next}<p>An appendix.</p>${next}<br>${next}${page}`;
    const partly = await readBytes('mixed.pdf', await printer.print(mixed));
    expect(only(partly.documents).blocks).toEqual([
      { kind: 'paragraph', text: 'A cover letter.', anchor: 'page=1' },
      { kind: 'paragraph', text: 'An appendix.', anchor: 'page=4' },
    ]);
    // The fifth page is empty.
    expect(partly.notices).toEqual([
      {
        kind: 'failed',
        place: 'mixed.pdf',
        reason: 'no text',
        fix: 'Recognize the text of its scanned pages (OCR) (page 2-3, 6).',
      },
    ]);
  });
});

describe.skipIf(missingTools('soffice'))('a PDF file exported by LibreOffice', () => {
  const page = declaration('fra');
  let plain: Buffer;
  let locked: Buffer;
  let restricted: Buffer;

  beforeAll(() => {
    plain = exported(page, { ExportBookmarks: true });
    locked = exported(page, { EncryptFile: true, DocumentOpenPassword: 'secret' });
    restricted = exported(page, {
      RestrictPermissions: true,
      PermissionPassword: 'secret',
      EnableCopyingOfContent: false,
    });
  });

  it('has the text in order, and its headings', async () => {
    const source = await blocksOfHtml(page);
    const { documents } = await readBytes('declaration.pdf', plain);
    const { blocks } = only(documents);
    expect(headings(blocks)).toEqual(headings(source));
    const { recall, tau } = compare(textOf(blocks), textOf(source));
    expect([recall, tau]).toEqual([1, 1]);
  });

  it('that needs a password is reported', async () => {
    const { documents, notices } = await readBytes('locked.pdf', locked);
    expect(documents).toEqual([]);
    const fix = 'Remove the password and build again.';
    expect(notices).toEqual([{ kind: 'failed', place: 'locked.pdf', reason: 'encrypted', fix }]);
  });

  it('that only restricts what readers may do is read', async () => {
    const { documents } = await readBytes('restricted.pdf', restricted);
    expect(only(documents).blocks).toEqual(only((await readBytes('plain.pdf', plain)).documents).blocks);
  });
});

describe('a book as a PDF file', () => {
  const page = (lines: string[]) => lines.map((text, i) => ({ x: 72, y: 760 - 20 * i, text, size: 11 }));
  const places = ['anchor', 'boat', 'crane', 'dock', 'eel', 'ferry', 'gull', 'harbour', 'ice', 'jetty'];
  const chapters = places.map((name, i) =>
    page([`About the ${name} we know ${i} things.`, `It is near the ${name}.`]),
  );
  const contents = page(['Contents', ...places.map((name, i) => `${i + 1} The ${name} ........ ${i + 2}`)]);
  const index = page(['Index', ...places.map((name, i) => `${name}, ${i + 2}, ${12 - i}`)]);

  it('is read without its table of contents and its index', async () => {
    const book = pdfFile([page(['The harbour book']), contents, ...chapters, index]);
    const text = outline((await readBytes('book.pdf', book)).documents);
    expect(text).toContain('About the jetty we know 9 things.');
    expect(text).not.toMatch(/Contents|Index|crane, 4|The dock/);
  });

  it('keeps tables of numbers', async () => {
    const table = page(places.map((name, i) => `${name} ${(7 * i) % 10}`));
    const book = pdfFile([page(['The harbour book']), table, ...chapters, index]);
    expect(outline((await readBytes('book.pdf', book)).documents)).toMatch(/ferry.*5/);
  });
});
