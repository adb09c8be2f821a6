import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { slugify } from '../../docs/.vitepress/slug.ts';
import { root } from '../fixtures/index.ts';
import { nodesOf, type Page, pagesIn, readPage, textOf, userPages } from './pages.ts';

const ROOT_PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
const README_BYTES = 8_192;
const LINE_CHARACTERS = 120;

const pages = [...ROOT_PAGES.map(readPage), ...['docs', 'index', 'test'].flatMap(pagesIn)];

/** The anchors that GitHub generates for a page's headings. A repeated heading gets a number. */
function anchorsOf({ tree }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const heading of nodesOf(tree, 'heading')) {
    const slug = slugify(textOf(heading));
    let anchor = slug;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The problem with a link, if any. Links to other sites are not followed. */
function fault(page: Page, url: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(url)) return undefined;
  const [path = '', anchor] = decodeURIComponent(url).split('#');
  const target = path === '' ? page.path : normalize(join(dirname(page.path), path));
  if (target.startsWith('..') || !existsSync(join(root, target))) return `${url}: no such file`;
  if (anchor === undefined) return undefined;
  return anchorsOf(readPage(target)).has(anchor) ? undefined : `${url}: no such heading`;
}

test.each(pages.map((page) => [page.path, page] as const))('every link of %s resolves', (_, page) => {
  const links = (['link', 'image', 'definition'] as const).flatMap((type) => nodesOf(page.tree, type));
  expect(links.map(({ url }) => fault(page, url)).filter(Boolean)).toEqual([]);
});

describe('README.md', () => {
  test(`has at most ${README_BYTES} bytes`, () => {
    expect(statSync(join(root, 'README.md')).size).toBeLessThanOrEqual(README_BYTES);
  });

  test('links to every page of docs/', () => {
    const links = nodesOf(readPage('README.md').tree, 'link').map(({ url }) => url.replace(/#.*/, ''));
    // Their index links to the decision records. docs/clients.md links to the examples.
    const expected = pagesIn('docs')
      .map(({ path }) => path)
      .filter((path) => !/^docs\/(decisions\/\d|examples\/)/.test(path));
    expect(links).toEqual(expect.arrayContaining(expected));
  });
});

/** The line numbers of prose that is too long. Tables, code and link targets may be longer. */
function longLines({ text, tree }: Page): number[] {
  const exempt = new Set<number>();
  for (const type of ['table', 'code', 'html'] as const) {
    for (const { position } of nodesOf(tree, type)) {
      for (let line = position!.start.line; line <= position!.end.line; line++) exempt.add(line);
    }
  }
  return text.split('\n').flatMap((line, i) => {
    const visible = line.replace(/\]\([^)]*\)/g, ']').replace(/https?:\S+/g, '');
    return visible.length > LINE_CHARACTERS && !exempt.has(i + 1) ? [i + 1] : [];
  });
}

test.each(userPages().map((page) => [page.path, page] as const))(
  `prose lines of %s have at most ${LINE_CHARACTERS} characters`,
  (_, page) => expect(longLines(page)).toEqual([]),
);
