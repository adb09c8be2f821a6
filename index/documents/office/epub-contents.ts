import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import type { Book } from './epub-book.ts';
import { resolvePart } from './package.ts';
import { readXml, type XmlHandler } from './xml.ts';

/**
 * The titles of pages in a book's table of contents, by part. The first entry for a page counts. Without a readable table of contents,
 * there are none.
 */
export async function chapterTitles(zip: ZipEntries, book: Book, input: Input): Promise<Map<string, string>> {
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
