import { LoggerManager, load, NullLogger } from '@asciidoctor/core';
import { type Document, languageTag } from '../document.ts';
import { blocksOf } from '../html/blocks.ts';
import { parseHtml } from '../html/html-page.ts';
import { type Element, words } from '../html/html-tree.ts';
import { titleFromHeadings } from './readme.ts';

/** Classes of what Asciidoctor adds: labels of admonitions, marks of footnotes and callouts, the lines of authors and includes. */
const ADDED = new Set(['icon', 'footnote', 'conum', 'include']);

/** An apostrophe, and the spaces around dashes, that Asciidoctor writes in place of plain ones. */
const TYPESET = /&#(?:8217|8201|8203);/g;

const plain = (entity: string) => (entity === '&#8217;' ? "'" : entity === '&#8201;' ? ' ' : '');

LoggerManager.setLogger(new NullLogger());

/**
 * Reads AsciiDoc as the page that Asciidoctor makes of it. Its secure mode reads no other files. Headings have Asciidoctor's ids.
 * @param path of the file, for errors
 */
export async function readAsciidoc(text: string, source: string, path = source): Promise<Document> {
  const document = await load(text, {
    safe: 'secure',
    attributes: {
      experimental: '',
      showtitle: '',
      // Captions without "Table 1."
      'table-caption': false,
      'figure-caption': false,
      'example-caption': false,
    },
  });
  const isAdded = (element: Element) =>
    element.tagName !== 'div' && words(element, 'class').some((name) => ADDED.has(name));
  const blocks = blocksOf(parseHtml(String(await document.convert()).replace(TYPESET, plain), path), isAdded);
  return {
    source,
    title: titleFromHeadings(blocks, source, path),
    lang: languageTag(document.getAttribute('lang')),
    blocks,
  };
}
