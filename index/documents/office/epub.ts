import { parse } from 'parse5';
import type { Zip } from '../archive/zip.ts';
import type { Block, Document } from '../document.ts';
import { decode } from '../encoding.ts';
import { Unreadable } from '../file.ts';
import { blocksOf } from '../html/blocks.ts';
import { attribute, type Element, limitedAdapter } from '../html/html-tree.ts';
import type { Input } from '../input.ts';
import { fittingLanguage } from './language.ts';
import { noText, onOneLine, openPackage, resolvePart } from './office-package.ts';
import { elementsOf } from './office-xml.ts';

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
  const { pages, contents, metadata } = await readBook(zip, input);
  const titles = await chapterTitles(zip, contents, input);
  const blocks: Block[] = [];
  for (const part of pages) {
    try {
      const page = await readPage(zip, part, input);
      for (const block of withHeading(page, titles.get(part))) blocks.push(block);
    } catch (error) {
      const { reason, fix } = error instanceof Unreadable ? error.notice : DAMAGED;
      input.report({ kind: 'failed', place: `${input.path}/${part}`, reason, fix });
    }
  }
  if (blocks.length === 0) throw noText(input);
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
async function readPage(zip: Zip, part: string, input: Input): Promise<Block[]> {
  const declared = (start: string) => start.match(/^<\?xml[^>]*encoding=["']([\w-]+)/)?.[1];
  const path = `${input.path}/${part}`;
  const text = await decode(await zip.read(part, MAX_PAGE_BYTES), { path, report: input.report }, declared);
  const treeAdapter = limitedAdapter(path);
  const page = blocksOf(parse(text.replace(EMPTY_ELEMENT, '<$1$2></$1>'), { treeAdapter }), isMark);
  return page.map(({ kind, level, text }) =>
    kind === 'heading' ? { kind, level: Math.min(6, (level ?? 1) + 1), text } : { kind, text },
  );
}

/** Fonts may be obfuscated without protecting the text. */
const FONT_OBFUSCATION = new Set(['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC']);

/** What the package document says. */
interface Book {
  /** The parts of its pages in reading order, without tables of contents and pages outside that order. */
  pages: string[];
  /** The part with the table of contents, if there is one. */
  contents?: string;
  /** By element name, such as `dc:title`. */
  metadata: Map<string, string[]>;
}

/**
 * Reads the package document.
 * @throws Unreadable `encrypted` if a page is encrypted
 */
async function readBook(zip: Zip, input: Input): Promise<Book> {
  const [root] = await elementsOf(zip, 'META-INF/container.xml', input, 'container:rootfile');
  const base = root?.attributes.get('full-path') ?? '';
  const items = new Map<string, { part: string; isPage: boolean; isContents: boolean }>();
  const spine: string[] = [];
  const metadata = new Map<string, string[]>();
  let ncx = '';
  const names = 'dc:title dc:creator dc:language opf:item opf:spine opf:itemref';
  for (const { name, attributes, text } of await elementsOf(zip, base, input, names)) {
    const value = (attribute: string) => attributes.get(attribute) ?? '';
    if (name === 'opf:item') {
      const isContents = hasWord(value('properties'), 'nav');
      const isPage = PAGE_TYPES.has(value('media-type')) && !isContents;
      items.set(value('id'), { part: resolvePart(base, value('href')), isPage, isContents });
    } else if (name === 'opf:spine') ncx = value('toc');
    else if (name === 'opf:itemref') {
      if (value('linear') !== 'no') spine.push(value('idref'));
    } else if (text.trim() !== '') metadata.set(name, [...(metadata.get(name) ?? []), onOneLine(text)]);
  }
  const contents = [...items.values()].find(({ isContents }) => isContents) ?? items.get(ncx);
  const pages = spine.flatMap((id) => (items.get(id)?.isPage ? items.get(id)!.part : []));
  await checkEncryption(zip, new Set(pages), input);
  return { pages, contents: contents?.part, metadata };
}

async function checkEncryption(zip: Zip, pages: Set<string>, input: Input): Promise<void> {
  const part = 'META-INF/encryption.xml';
  if (!zip.has(part)) return;
  let algorithm = '';
  const names = 'enc:EncryptedData enc:EncryptionMethod enc:CipherReference';
  for (const { name, attributes } of await elementsOf(zip, part, input, names)) {
    if (name === 'enc:EncryptedData') algorithm = '';
    else if (name === 'enc:EncryptionMethod') algorithm ||= attributes.get('Algorithm') ?? '';
    else if (!FONT_OBFUSCATION.has(algorithm) && pages.has(resolvePart('', attributes.get('URI') ?? '')))
      throw input.failure('encrypted', 'Use a copy without copy protection.');
  }
}

/**
 * The titles of pages in a book's table of contents, by part: of the links in `<nav epub:type="toc">`, or before EPUB 3 the labels of
 * points. The first entry for a page counts. Without a readable table of contents, there are none.
 */
async function chapterTitles(
  zip: Zip,
  contents: string | undefined,
  input: Input,
): Promise<Map<string, string>> {
  const titles = new Map<string, string>();
  if (contents === undefined) return titles;
  try {
    let label = '';
    const names = 'html:nav html:a ncx:text ncx:content';
    for (const { name, attributes, text, parent } of await elementsOf(zip, contents, input, names)) {
      const isLink = name === 'html:a' && hasWord(parent?.attributes.get('epub:type') ?? 'toc', 'toc');
      if (isLink || name === 'ncx:text') label = onOneLine(text);
      const target = resolvePart(contents, attributes.get('href') ?? attributes.get('src') ?? '');
      if ((isLink || name === 'ncx:content') && label !== '' && !titles.has(target))
        titles.set(target, label);
    }
  } catch {
    // A book can be read without its table of contents.
  }
  return titles;
}

function hasWord(list: string, word: string): boolean {
  return list.split(/\s+/).includes(word);
}
