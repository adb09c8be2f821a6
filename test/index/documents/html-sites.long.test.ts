import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { debianPackage } from '../../fixtures/debian.ts';
import { lostParagraphs, navigation, readSite } from '../../fixtures/sites-measure.ts';

/** Sites of each kind, and how many pages to leave out. No rule was tuned on the Policy, the guide and PAM's manual. */
const SITES: [kind: string, name: string, folder: string, every: number, least: number][] = [
  ['Sphinx', 'developers-reference', 'usr/share/developers-reference', 1, 0.1],
  ['Sphinx', 'debian-policy', 'usr/share/doc/debian-policy/policy.html', 1, 0.1],
  ['DocBook', 'postgresql-doc-15', 'usr/share/doc/postgresql-doc-15/html', 16, 0.005],
  ['DocBook', 'maint-guide', 'usr/share/doc/maint-guide/html', 1, 0.03],
  ['DocBook', 'libpam-doc', 'usr/share/doc/libpam-doc/html', 1, 0.1],
  ['MkDocs', 'mkdocs-doc', 'usr/share/doc/mkdocs/html', 1, 0.02],
];

/** Indexes, searches, and tables with links to the start of a book, which are no text. */
const NO_TEXT = /^(?:genindex|index|search|404)\.html: |\| Home(?: \||$)/;

describe.each(SITES)('%s: %s', (kind, name, folder, every, least) => {
  const path = debianPackage(name);
  if (!path && process.env.CI) throw new Error(`${name} is missing. Run .ci/debian.`);
  describe.skipIf(!path)('real pages', () => {
    let pages: ReturnType<typeof readSite>;
    beforeAll(() => {
      pages = readSite(join(path!, folder), every);
    });

    it('have at most 1 % of navigation, of more before', () => {
      const before = navigation(pages, ({ all }) => all);
      const after = navigation(pages, ({ document }) => document?.blocks ?? []);
      expect(before.found.length / before.passages).toBeGreaterThan(least);
      expect(after.passages).toBeGreaterThan(200);
      expect(after.found.length / after.passages, after.found.join('\n\n')).toBeLessThan(0.01);
    });

    it('lose no paragraph', () => {
      const lost = lostParagraphs(pages).filter((text) => !NO_TEXT.test(text));
      expect(lost).toEqual([]);
    });

    it.runIf(kind === 'Sphinx')('contain the sentences of their sources', () => {
      const sources = join(path!, folder, '_sources');
      let compared = 0;
      for (const file of readdirSync(sources).filter((file) => file.endsWith('.rst.txt'))) {
        const page = pages.find(({ source }) => source === file.replace('.rst.txt', '.html'));
        const text = words(page?.document?.blocks.map((block) => block.text).join(' ') ?? '');
        // Only paragraphs without markup have the same words in both.
        for (const paragraph of readFileSync(join(sources, file), 'utf8').split(/\n\s*\n/)) {
          if (!/^[A-Z][^`*_:|<>\\]{60,}\.$/.test(paragraph)) continue;
          compared++;
          expect(text).toContain(words(paragraph));
        }
      }
      expect(compared).toBeGreaterThan(100);
    });
  });
});

function words(text: string): string {
  return text
    .replaceAll('’', "'")
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
