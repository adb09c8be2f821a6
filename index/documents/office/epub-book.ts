import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import { resolvePart } from './package.ts';
import { readXml } from './xml.ts';

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
export async function readBook(zip: ZipEntries, input: Input): Promise<Book> {
  const book = await readPackage(zip, await packagePart(zip, input), input);
  await checkEncryption(zip, book, input);
  return book;
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

async function readPackage(zip: ZipEntries, part: string, input: Input): Promise<Book> {
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
