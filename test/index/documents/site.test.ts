import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { runs } from '../../fixtures/runs.ts';
import { block, filtered } from '../../fixtures/sites.ts';

const WARNING = 'Warning: this interface may change without notice, so pin the version that you use.';
const LICENCE =
  'You may copy, change and distribute this manual as long as this notice is in each of the copies.';

/** Ten pages of a folder, from the lines of each. */
const site = (lines: (page: number) => string[], title = (page: number) => `Page ${page}`, folder = '') =>
  Array.from(
    { length: 10 },
    (_, i): Document => ({ source: `${folder}p${i}.html`, title: title(i), blocks: lines(i).map(block) }),
  );
const texts = (pages: readonly Document[]) => pages.map(({ blocks }) => blocks.map(({ text }) => text));

describe('SiteChrome', () => {
  it('removes menus and footers, and keeps the text between', () => {
    const pages = site((i) => [
      '> Home',
      '> Guide',
      `> Chapter ${i}`,
      '> Search',
      `# Chapter ${i}`,
      `Text of ${i}.`,
      '> Download the ebook',
      'Made in 2024',
    ]);
    expect(texts(filtered(pages))).toEqual(
      pages.map((_, i) => [`Chapter ${i}`, `Text of ${i}.`, ...(i === 0 ? ['Made in 2024'] : [])]),
    );
  });

  it('removes a menu of one chapter in four', () => {
    const pages = site((i) => [...(i < 4 ? ['> Install', '> Configure'] : []), `# ${i}`, `Text of ${i}.`]);
    expect(texts(filtered(pages))[0]).toEqual(['0', 'Text of 0.']);
  });

  it.each([
    ['a licence on three pages', (i: number) => [`# ${i}`, `Text of ${i}.`, ...(i < 3 ? [LICENCE] : [])]],
    [
      'a repeated warning',
      (i: number) => [
        `# ${i}`,
        `A long text that is about ${i} only, says who wrote it.`,
        WARNING,
        `End of ${i}.`.repeat(5),
      ],
    ],
    [
      'headings of a reference',
      (i: number) => [
        `# f${i}`,
        '## Name',
        `f${i} - does it`,
        '## Synopsis',
        `f${i}(x)`,
        '## See also',
        `g${i} and others`,
      ],
    ],
    [
      'labels',
      (i: number) => [
        `# f${i}`,
        'Parameters',
        `x${i} | the number of times that it is called`,
        'Note',
        `Never ${i} times in a row.`,
      ],
    ],
    ['the header of a table', (i: number) => [`# f${i}`, `Name | Type\nx${i} | int`]],
    ['a heading with text', (i: number) => [`# f${i}`, `Text of ${i}.`, '## Licence', `Licence of ${i}.`]],
    [
      'links in the text',
      (i: number) => [
        `# f${i}`,
        `A long text that is about ${i} only, says who wrote it.`,
        '> The manual',
        `A long text that ends ${i}, and says who wrote it.`,
      ],
    ],
  ])('keeps %s', (_, lines) => {
    const pages = site(lines);
    expect(texts(filtered(pages))).toEqual(texts(pages));
  });

  it('keeps text that recurs on the first page by name', () => {
    const pages = site((i) => [`# ${i}`, `Text of ${i}.`, LICENCE]);
    expect(
      texts(filtered(pages.toReversed()))
        .flat()
        .filter((text) => text === LICENCE),
    ).toHaveLength(1);
    expect(filtered(pages)[0]!.blocks.at(-1)!.text).toBe(LICENCE);
  });

  it('compares pages of a folder, whatever else the source contains', () => {
    const manual = site((i) => ['> Manual', `# ${i}`, `Text of ${i}.`], undefined, 'manual/');
    const others = Array.from({ length: 90 }, (_, i) => ({
      source: `notes/${i}.html`,
      blocks: [block(`Note ${i}.`)],
    }));
    expect(texts(filtered([...manual, ...others]))[0]).toEqual(['0', 'Text of 0.']);
  });

  it('keeps fewer pages than four, and pages that would be empty, as they are', () => {
    const three = site((i) => ['> Home', `# ${i}`, `Text of ${i}.`]).slice(0, 3);
    expect(filtered(three)).toEqual(three);
    const same = site(() => ['> Home', '> Guide']);
    expect(texts(filtered(same))).toEqual(texts(same));
  });

  it.each([
    ['after a dash', (i: number) => `Page ${i} — Manual`, (i: number) => `Page ${i}`],
    ['twice', (i: number) => `Page ${i} | Manual | Town`, (i: number) => `Page ${i}`],
    ['before a colon', (i: number) => `Manual: Page ${i}`, (i: number) => `Page ${i}`],
    ['after titles above', (i: number) => `Admin › Page ${i} - Manual`, (i: number) => `Admin › Page ${i}`],
    ['not, where titles are above', (i: number) => `Admin › Page ${i}`, (i: number) => `Admin › Page ${i}`],
    [
      'not, where it is on few pages',
      (i: number) => (i < 4 ? `Tutorial: ${i}` : `${i}`),
      (i: number) => (i < 4 ? `Tutorial: ${i}` : `${i}`),
    ],
    ['alone, where a heading is better', () => 'Manual', (i: number) => `Heading ${i}`],
  ])('removes the site’s name from titles %s', (_, title, expected) => {
    const pages = site((i) => [`## Heading ${i}`, `Text of ${i}.`], title);
    expect(filtered(pages).map((page) => page.title)).toEqual(pages.map((_, i) => expected(i)));
  });

  it('does not depend on the order of the pages, and removes only blocks that recur or are links', () => {
    const line = fc.constantFrom('# A', '## B', '> Home', '> Next', 'Note', WARNING, LICENCE, 'x', 'y', 'z');
    const page = fc.array(line, { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(page, { minLength: 1, maxLength: 12 }), (all) => {
        const pages = all.map((lines, i): Document => ({ source: `${i}.html`, blocks: lines.map(block) }));
        const once = filtered(pages);
        expect(filtered(pages, pages.toReversed())).toEqual(once);
        for (const [i, { blocks }] of once.entries()) {
          const before = pages[i]!.blocks;
          expect(blocks).toEqual(before.filter((block) => blocks.includes(block)));
          for (const { text, links } of before.filter((block) => !blocks.includes(block)))
            expect(
              links === 1 ||
                all.filter((lines) => lines.map(block).some((one) => one.text === text)).length >= 4,
            ).toBe(true);
        }
      }),
      { numRuns: runs(300) },
    );
  });

  it('rejects a page that comes too late', async () => {
    const { SiteChrome } = await import('../../../index/documents/site/site-chrome.ts');
    const chrome = new SiteChrome();
    const [page] = site(() => ['x']);
    chrome.filter(page!);
    expect(() => chrome.observe(page!)).toThrow('Observe all pages first');
  });
});
