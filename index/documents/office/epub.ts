import { parse } from 'parse5';
import type { Zip } from '../archive/zip.ts';
import type { Block, Document } from '../document.ts';
import { decode } from '../encoding.ts';
import { Unreadable } from '../file.ts';
import { blocksOf } from '../html/blocks.ts';
import { attribute, type Element, limitedAdapter } from '../html/html-tree.ts';
import type { Input } from '../input.ts';
import { fittingLanguage } from './language.ts';
import { noText, openPackage, resolvePart } from './office-package.ts';
import { readXml, type XmlHandler } from './office-xml.ts';

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

interface Item {
  part: string;
  mediaType: string;
  properties: string[];
}

/** What the package document says. */
export interface Book {
  items: Map<string, Item>;
  /** Ids of the pages in reading order, without those outside it. */
  spine: string[];
  /** The id of the table of contents of EPUB 2. */
  ncx?: string;
  /** By element name, such as `dc:title`. */
  metadata: Map<string, string[]>;
}

/**
 * Reads the package document.
 * @throws Unreadable `encrypted` if a page is encrypted
 */
export async function readBook(zip: Zip, input: Input): Promise<Book> {
  const book = await readPackage(zip, await packagePart(zip, input), input);
  await checkEncryption(zip, book, input);
  return book;
}

async function packagePart(zip: Zip, input: Input): Promise<string> {
  let part: string | undefined;
  await readXml(zip.stream('META-INF/container.xml'), input, {
    open: ({ name, attributes }) => {
      if (name === 'container:rootfile') part ??= attributes.get('full-path');
    },
  });
  return part ?? '';
}

async function readPackage(zip: Zip, part: string, input: Input): Promise<Book> {
  const book: Book = { items: new Map(), spine: [], metadata: new Map() };
  let field = '';
  let value = '';
  await readXml(zip.stream(part), input, {
    open: ({ name, attributes }) => {
      if (name.startsWith('dc:')) {
        field = name;
        value = '';
      } else if (name === 'opf:item') {
        book.items.set(attributes.get('id') ?? '', {
          part: resolvePart(part, attributes.get('href') ?? ''),
          mediaType: attributes.get('media-type') ?? '',
          properties: (attributes.get('properties') ?? '').split(/\s+/),
        });
      } else if (name === 'opf:spine') book.ncx = attributes.get('toc');
      else if (name === 'opf:itemref' && attributes.get('linear') !== 'no')
        book.spine.push(attributes.get('idref') ?? '');
    },
    text: (text) => {
      if (field !== '') value += text;
    },
    close: (name) => {
      if (name !== field) return;
      const line = value.replace(/\s+/g, ' ').trim();
      if (line !== '') book.metadata.set(field, [...(book.metadata.get(field) ?? []), line]);
      field = '';
    },
  });
  return book;
}

async function checkEncryption(zip: Zip, book: Book, input: Input): Promise<void> {
  if (!zip.has('META-INF/encryption.xml')) return;
  const pages = new Set(book.spine.map((id) => book.items.get(id)?.part));
  let algorithm = '';
  let isEncrypted = false;
  await readXml(zip.stream('META-INF/encryption.xml'), input, {
    open: ({ name, attributes }) => {
      if (name === 'enc:EncryptionMethod') algorithm ||= attributes.get('Algorithm') ?? '';
      else if (name === 'enc:EncryptedData') algorithm = '';
      else if (name === 'enc:CipherReference' && !FONT_OBFUSCATION.has(algorithm))
        isEncrypted ||= pages.has(resolvePart('', attributes.get('URI') ?? ''));
    },
  });
  if (isEncrypted) throw input.failure('encrypted', 'Use a copy without copy protection.');
}

/**
 * The titles of pages in a book's table of contents, by part. The first entry for a page counts. Without a readable table of contents,
 * there are none.
 */
export async function chapterTitles(zip: Zip, book: Book, input: Input): Promise<Map<string, string>> {
  const titles = new Map<string, string>();
  const nav = [...book.items.values()].find(({ properties }) => properties.includes('nav'))?.part;
  const ncx = book.items.get(book.ncx ?? '')?.part;
  const add = (part: string, uri: string, title: string) => {
    const target = resolvePart(part, uri);
    const line = title.replace(/\s+/g, ' ').trim();
    if (line !== '' && !titles.has(target)) titles.set(target, line);
  };
  try {
    if (nav !== undefined)
      await readXml(
        zip.stream(nav),
        input,
        navReader((...link) => add(nav, ...link)),
      );
    else if (ncx !== undefined)
      await readXml(
        zip.stream(ncx),
        input,
        ncxReader((...link) => add(ncx, ...link)),
      );
  } catch {
    // A book can be read without its table of contents.
  }
  return titles;
}

type AddLink = (uri: string, title: string) => void;

/** Reads the table of contents of EPUB 3: links in `<nav epub:type="toc">`. */
function navReader(add: AddLink): XmlHandler {
  let isContents = false;
  let uri: string | undefined;
  let title = '';
  return {
    open: ({ name, attributes }) => {
      if (name === 'html:nav')
        isContents = (attributes.get('epub:type') ?? 'toc').split(/\s+/).includes('toc');
      if (name !== 'html:a' || !isContents) return;
      uri = attributes.get('href');
      title = '';
    },
    text: (value) => {
      title += value;
    },
    close: (name) => {
      if (name === 'html:nav') isContents = false;
      if (name !== 'html:a' || uri === undefined) return;
      add(uri, title);
      uri = undefined;
    },
  };
}

/** Reads the table of contents of EPUB 2: a label and a source for each point. */
function ncxReader(add: AddLink): XmlHandler {
  let isText = false;
  let title = '';
  return {
    open: ({ name, attributes }) => {
      if (name === 'ncx:text') {
        isText = true;
        title = '';
      } else if (name === 'ncx:content') add(attributes.get('src') ?? '', title);
    },
    text: (value) => {
      if (isText) title += value;
    },
    close: (name) => {
      if (name === 'ncx:text') isText = false;
    },
  };
}
