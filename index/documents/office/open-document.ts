import type { Zip } from '../archive/zip.ts';
import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { Flow, fileTitle, Slide, toDocument } from './flow.ts';
import { openPackage, ownTitle } from './office-package.ts';
import { readXml, type XmlElement } from './office-xml.ts';

/** How many styles may be based on each other. */
const MAX_PARENTS = 20;
/** More repeated spaces than this are not text. */
const MAX_SPACES = 100;

/** Subtrees that are not text: deleted text, comments, tables of contents, descriptions of images, footers of slides. */
const SKIPPED = new Set([
  'text:tracked-changes',
  'office:annotation',
  'text:table-of-content',
  'text:illustration-index',
  'text:table-index',
  'text:object-index',
  'text:alphabetical-index',
  'text:note-citation',
  'text:ruby-text',
  'svg:title',
  'svg:desc',
  'presentation:header',
  'presentation:footer',
  'presentation:date-time',
  'text:page-number',
  'office:forms',
]);
const SLIDE_FOOTERS = new Set(['header', 'footer', 'date-time', 'page-number']);

/**
 * Opens a package of OpenDocument. Parameters are as for `openPackage`.
 * @throws Unreadable `encrypted` and those of `openPackage`
 */
export async function openOpenDocument(input: Input, extension: string, inflated?: number): Promise<Zip> {
  const zip = await openPackage(input, extension, inflated);
  let isEncrypted = zip.has('encrypted-package');
  if (zip.has('META-INF/manifest.xml')) {
    await readXml(zip.stream('META-INF/manifest.xml'), input, {
      open: ({ name }) => {
        isEncrypted ||= name === 'manifest:encryption-data';
      },
    });
  }
  if (isEncrypted) throw input.failure('encrypted', 'Remove the password and build again.');
  return zip;
}

/**
 * Reads a text or a presentation. Footnotes, endnotes and text boxes follow the paragraph that contains them; a slide is a section, and
 * speaker notes follow its text. Tables of contents, comments and deleted text are left out.
 */
async function readOpenDocument(input: Input, extension: string): Promise<Document> {
  const zip = await openOpenDocument(input, extension);
  const parents = new Map<string, string>();
  const { title, languages } = await readMeta(zip, parents, input);
  const reader = new ContentReader(parents);
  await readXml(zip.stream('content.xml'), input, reader);
  const slideTitle = reader.slides > 0 ? (reader.slideTitle ?? fileTitle(input)) : undefined;
  return toDocument(input, reader.blocks, title ?? slideTitle, languages);
}

/** Reads a text. */
export const readOdt = (input: Input): Promise<Document> => readOpenDocument(input, '.odt');

/** Reads a presentation. */
export const readOdp = (input: Input): Promise<Document> => readOpenDocument(input, '.odp');

/** The title and languages that a package declares. Collects the parents of its paragraph styles. */
async function readMeta(
  zip: Zip,
  parents: Map<string, string>,
  input: Input,
): Promise<{ title: string | undefined; languages: (string | undefined)[] }> {
  const found = new Map<string, string>();
  let open = '';
  if (zip.has('meta.xml')) {
    await readXml(zip.stream('meta.xml'), input, {
      open: ({ name }) => {
        open = name;
      },
      text: (value) => found.set(open, (found.get(open) ?? '') + value),
      close: () => {
        open = '';
      },
    });
  }
  const languages = [found.get('dc:language')];
  let isDefault = false;
  if (zip.has('styles.xml')) {
    await readXml(zip.stream('styles.xml'), input, {
      open: ({ name, attributes }) => {
        if (name === 'style:style') addStyle(parents, attributes);
        else if (name === 'style:default-style') isDefault = attributes.get('style:family') === 'paragraph';
        else if (isDefault && name === 'style:text-properties') {
          for (const [language, country] of LANGUAGE_ATTRIBUTES)
            languages.push(tagOf(attributes.get(language), attributes.get(country)));
        }
      },
      close: (name) => {
        if (name === 'style:default-style') isDefault = false;
      },
    });
  }
  return { title: ownTitle(found.get('dc:title')), languages };
}

const LANGUAGE_ATTRIBUTES = [
  ['fo:language', 'fo:country'],
  ['style:language-asian', 'style:country-asian'],
  ['style:language-complex', 'style:country-complex'],
] as const;

function tagOf(language: string | undefined, country: string | undefined): string | undefined {
  if (!language || language === 'none') return undefined;
  return country && country !== 'none' ? `${language}-${country}` : language;
}

function addStyle(parents: Map<string, string>, attributes: XmlElement['attributes']): void {
  const name = attributes.get('style:name');
  const parent = attributes.get('style:parent-style-name');
  if (name && parent && attributes.get('style:family') === 'paragraph') parents.set(name, parent);
}

/** Collects the blocks of `content.xml`. */
class ContentReader {
  readonly #flow = new Flow();
  readonly #parents: Map<string, string>;
  #depth = 0;
  /** Depth of the open element whose content is left out; 0 if there is none. */
  #skippedFrom = 0;
  #slide: Slide | undefined;
  /** How many slides there were. */
  slides = 0;
  /** The first title of a slide. */
  slideTitle: string | undefined;

  constructor(parents: Map<string, string>) {
    this.#parents = parents;
  }

  get blocks(): Block[] {
    return this.#flow.blocks;
  }

  open({ name, attributes }: XmlElement): void {
    this.#depth++;
    if (this.#skippedFrom > 0) return;
    const flow = this.#slide?.flow ?? this.#flow;
    if (SKIPPED.has(name)) this.#skippedFrom = this.#depth;
    else if (name === 'style:style') addStyle(this.#parents, attributes);
    else if (name === 'text:h') flow.openParagraph(Number(attributes.get('text:outline-level') ?? 1) + 1);
    else if (name === 'text:p') flow.openParagraph(this.#isTitle(attributes) ? 1 : undefined);
    else if (name === 'text:s')
      flow.append(' '.repeat(Math.min(MAX_SPACES, Number(attributes.get('text:c') ?? 1) || 1)));
    else if (name === 'text:tab') flow.append('\t');
    else if (name === 'text:line-break') flow.append('\n');
    else if (name === 'table:table') flow.openTable();
    else if (name === 'table:table-row') flow.openRow();
    else if (name === 'table:table-cell' || name === 'table:covered-table-cell') flow.openCell();
    else if (name === 'draw:page') this.#slide = new Slide(++this.slides);
    else if (name === 'draw:frame' || name === 'draw:custom-shape') {
      const role = attributes.get('presentation:class') ?? '';
      if (SLIDE_FOOTERS.has(role)) this.#skippedFrom = this.#depth;
      this.#slide?.openFrame(role, this.#depth);
    } else if (name === 'presentation:notes') this.#slide?.openNotes();
  }

  close(name: string): void {
    const depth = this.#depth--;
    if (this.#skippedFrom > 0) {
      if (this.#skippedFrom === depth) this.#skippedFrom = 0;
      this.#slide?.closeFrame(depth);
      return;
    }
    const flow = this.#slide?.flow ?? this.#flow;
    if (name === 'text:h' || name === 'text:p') flow.closeParagraph();
    else if (name === 'table:table') flow.closeTable();
    else if (name === 'table:table-cell' || name === 'table:covered-table-cell') flow.closeCell();
    else if (name === 'draw:page') {
      for (const block of this.#slide?.blocks ?? []) this.#flow.add(block);
      this.slideTitle ??= this.#slide?.title || undefined;
      this.#slide = undefined;
    } else this.#slide?.closeFrame(depth);
  }

  text(value: string): void {
    if (this.#skippedFrom > 0) return;
    (this.#slide?.flow ?? this.#flow).append(value.replaceAll('\n', ' '));
  }

  #isTitle(attributes: XmlElement['attributes']): boolean {
    let style = attributes.get('text:style-name');
    for (let i = 0; i < MAX_PARENTS && style !== undefined; i++) {
      if (style === 'Title') return true;
      style = this.#parents.get(style);
    }
    return false;
  }
}
