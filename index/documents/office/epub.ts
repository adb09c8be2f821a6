import { parse } from 'parse5';
import type { Block, Document } from '../document.ts';
import { decode } from '../encoding.ts';
import { Unreadable } from '../file.ts';
import { blocksOf } from '../html/blocks.ts';
import { attribute, type Element, limitedAdapter } from '../html/dom.ts';
import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import { readBook } from './epub-book.ts';
import { chapterTitles } from './epub-contents.ts';
import { fittingLanguage } from './language.ts';
import { noText, openPackage } from './package.ts';

const PAGE_TYPES = new Set(['application/xhtml+xml', 'text/html', 'text/x-oeb1-document']);
/** The largest page, inflated. */
const MAX_PAGE_BYTES = 16 * 2 ** 20;
/** Elements that end at once in XHTML, but not in HTML. */
const EMPTY_ELEMENT =
  /<(title|script|style|textarea|iframe|a|b|div|em|i|li|p|section|span|strong|td|th|ul|ol)\b([^<>]*)\/>/gi;
const MARKS = new Set(['noteref', 'backlink', 'pagebreak']);
const DAMAGED = { reason: 'damaged', fix: 'Save the book again with the program that made it.' };

/**
 * Reads a book as one document. The headings of its pages are below the book's title; a page without one begins with its title in the
 * table of contents. Pages outside the reading order and tables of contents are left out.
 */
export async function readEpub(input: Input): Promise<Document> {
  const zip = await openPackage(input, '.epub');
  const book = await readBook(zip, input);
  const titles = await chapterTitles(zip, book, input);
  const blocks: Block[] = [];
  for (const id of book.spine) {
    const item = book.items.get(id);
    if (!item || !PAGE_TYPES.has(item.mediaType) || item.properties.includes('nav')) continue;
    try {
      const page = await readPage(zip, item.part, input);
      for (const block of withHeading(page, titles.get(item.part))) blocks.push(block);
    } catch (error) {
      const place = `${input.path}/${item.part}`;
      const { reason, fix } = error instanceof Unreadable ? error.notice : DAMAGED;
      input.report({ kind: 'failed', place, reason, fix });
    }
  }
  if (blocks.length === 0) throw noText(input);
  const { metadata } = book;
  const creators = metadata.get('dc:creator');
  return {
    source: input.source,
    title: metadata.get('dc:title')?.[0],
    lang: fittingLanguage(metadata.get('dc:language') ?? [], blocks),
    ...(creators && { metadata: { author: creators } }),
    blocks,
  };
}

/** Some programs write chapter titles as paragraphs. */
function withHeading(page: Block[], title: string | undefined): Block[] {
  const [first, ...rest] = page;
  if (!first || title === undefined || page.some(({ kind }) => kind === 'heading')) return page;
  return [{ kind: 'heading', level: 2, text: title }, ...(first.text === title ? rest : page)];
}

/** Whether an element is no text: the mark of a note, the link back from a note, or the number of a printed page. */
function isMark(element: Element): boolean {
  const types = [attribute(element, 'epub:type'), attribute(element, 'role')?.replace(/^doc-/, '')];
  return types.some((type) => type !== undefined && MARKS.has(type));
}

/** The blocks of a page. Its headings come one level lower, below the book. No viewer opens a place in a book by a link. */
async function readPage(zip: ZipEntries, part: string, input: Input): Promise<Block[]> {
  const declared = (start: string) => start.match(/^<\?xml[^>]*encoding=["']([\w-]+)/)?.[1];
  const path = `${input.path}/${part}`;
  const text = await decode(await zip.read(part, MAX_PAGE_BYTES), { path, report: input.report }, declared);
  const treeAdapter = limitedAdapter(path);
  const page = blocksOf(parse(text.replace(EMPTY_ELEMENT, '<$1$2></$1>'), { treeAdapter }), isMark);
  return page.map(({ kind, level, text }) =>
    kind === 'heading' ? { kind, level: Math.min(6, (level ?? 1) + 1), text } : { kind, text },
  );
}
