import { beforeAll, describe, expect, it } from 'vitest';
import { blocksOfHtml, declaration, exported, pdfFile } from '../../fixtures/pdf-files.ts';
import { headingsOf, only, testLayouts, textOf, usePrinter } from '../../fixtures/pdf-layouts.ts';
import { compare } from '../../fixtures/pdf-reference.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

describe.skipIf(missingTools('chromium'))('a PDF file printed by Chromium', () => {
  const printer = usePrinter();

  // English in each layout, and every second edition in one of them.
  testLayouts(printer, (edition, layout) => edition === 0 || (edition % 2 === 0 && edition % 3 === layout));

  it('with an outline has its headings from there', async () => {
    const html = `<title>Notes</title><h1>Notes on boats</h1><p>Boats float.</p><h2>Sails</h2><p>Sails pull.</p>
      <p style="font-size: 40px">A large remark</p><h3>Jib</h3><p>The jib is in front.</p>`;
    const { documents } = await readBytes('notes.pdf', await printer().print(html, { outline: true }));
    expect(outline(documents)).toBe(
      '# Notes on boats\nBoats float.\n## Sails\nSails pull.\nA large remark\n### Jib\nThe jib is in front.',
    );
    expect(only(documents).title).toBe('Notes');
  });

  it('has tables as a line per row', async () => {
    const html = `<style>td, th { padding: 2px 30px; text-align: left; width: 8em; vertical-align: top }</style>
      <p>Harbours and their depths, as measured.</p><table><tr><th>Harbour<th>Depth<th>Remark</tr><tr><td>North<td>12 m
      <td>closed in winter, and in spring if there is ice</tr><tr><td>South<td>7 m<td>small boats only</tr></table>`;
    const { documents } = await readBytes('harbours.pdf', await printer().print(html));
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
    const { documents } = await readBytes('words.pdf', await printer().print(html));
    expect(outline(documents)).toContain(
      'This line of the text ends in the wellknown harbour, and this one has a long-term plan of the harbour.',
    );
  });

  it('of a scan is reported', async () => {
    const scan = await printer().scan('<h1>Scanned</h1><p>This page is a picture.</p>');
    const page = `<img src="data:image/png;base64,${scan.toString('base64')}" style="height: 600px">`;
    const { documents, notices } = await readBytes('scan.pdf', await printer().print(page));
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
    const partly = await readBytes('mixed.pdf', await printer().print(mixed));
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
    expect(headingsOf(blocks)).toEqual(headingsOf(source));
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
