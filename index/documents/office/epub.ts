import type { Block, Document } from '../document.ts';
import { decode } from '../encoding.ts';
import { Unreadable } from '../file.ts';
import { readHtml } from '../html/page.ts';
import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import { chapterTitles } from './epub-contents.ts';
import { fittingLanguage } from './language.ts';
import { noText, openPackage, resolvePart } from './package.ts';
import { readXml } from './xml.ts';

/** Fonts may be obfuscated without protecting the text. */
const FONT_OBFUSCATION = new Set(['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC']);
const PAGE_TYPES = new Set(['application/xhtml+xml', 'text/html', 'text/x-oeb1-document']);
/** The largest page, inflated. */
const MAX_PAGE_BYTES = 16 * 2 ** 20;
/** Elements that end at once in XHTML, but not in HTML. */
const EMPTY_ELEMENT =
  /<(title|script|style|textarea|iframe|a|b|div|em|i|li|p|section|span|strong|td|th|ul|ol)\b([^<>]*)\/>/gi;
const DAMAGED = { reason: 'damaged', fix: 'Save the book again with the program that made it.' };

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
 * Reads a book as one document. The headings of its pages are below the book's title; a page without one begins with its title in the
 * table of contents. Pages outside the reading order and tables of contents are left out.
 */
export async function readEpub(input: Input): Promise<Document> {
  const zip = await openPackage(input, '.epub');
  const book = await readBook(zip, await packagePart(zip, input), input);
  await checkEncryption(zip, book, input);
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

async function packagePart(zip: ZipEntries, input: Input): Promise<string> {
  let part: string | undefined;
  await readXml(zip.stream('META-INF/container.xml'), input, {
    open: ({ name, attributes }) => {
      if (name === 'container:rootfile') part ??= attributes.get('full-path');
    },
  });
  return part ?? '';
}

async function readBook(zip: ZipEntries, part: string, input: Input): Promise<Book> {
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

/** @throws Unreadable if a page is encrypted */
async function checkEncryption(zip: ZipEntries, book: Book, input: Input): Promise<void> {
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

/** The blocks of a page. Its headings come one level lower, below the book. No viewer opens a place in a book by a link. */
async function readPage(zip: ZipEntries, part: string, input: Input): Promise<Block[]> {
  const declared = (start: string) => start.match(/^<\?xml[^>]*encoding=["']([\w-]+)/)?.[1];
  const text = decode(await zip.read(part, MAX_PAGE_BYTES), input, declared);
  const page = readHtml(text.replace(EMPTY_ELEMENT, '<$1$2></$1>'), input.source, `${input.path}/${part}`);
  return page.blocks.map(({ kind, level, text }) =>
    kind === 'heading' ? { kind, level: Math.min(6, (level ?? 1) + 1), text } : { kind, text },
  );
}
