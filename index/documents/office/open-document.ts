import { posix } from 'node:path';
import { encrypted, type Zip } from '../archive/zip.ts';
import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { Flow, Slide, toDocument } from './flow.ts';
import { openPackage, propertiesOf } from './office-package.ts';
import { elementsOf, readXml, type XmlElement, type XmlHandler } from './office-xml.ts';

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
const FRAMES = new Set(['draw:frame', 'draw:custom-shape']);
const SLIDE_FOOTERS = new Set(['header', 'footer', 'date-time', 'page-number']);

/**
 * Opens a package of OpenDocument. Parameters are as for `openPackage`.
 * @throws Unreadable `encrypted` and those of `openPackage`
 */
export async function openOpenDocument(input: Input, extension: string, inflated?: number): Promise<Zip> {
  const zip = await openPackage(input, extension, inflated);
  const manifest = 'META-INF/manifest.xml';
  const hasKeys =
    zip.has(manifest) && (await elementsOf(zip, manifest, input, 'manifest:encryption-data')).length > 0;
  if (hasKeys || zip.has('encrypted-package')) throw encrypted(input);
  return zip;
}

/**
 * Reads a text or a presentation. Footnotes, endnotes and text boxes follow the paragraph that contains them; a slide is a section, and
 * speaker notes follow its text. Tables of contents, comments and deleted text are left out.
 */
async function readOpenDocument(input: Input, extension: string): Promise<Document> {
  const zip = await openOpenDocument(input, extension);
  const { title, lang } = await propertiesOf(zip, 'meta.xml', input);
  const { parents, languages } = await readStyles(zip, input);
  const flow = new Flow();
  const slides: Slide[] = [];
  await readXml(zip, 'content.xml', input, contentReader(flow, slides, parents));
  const slideTitle = slides.find((slide) => slide.title !== '')?.title;
  const usualTitle = slides.length > 0 ? (slideTitle ?? posix.parse(input.source).name) : undefined;
  return toDocument(input, flow.blocks, title ?? usualTitle, [lang, ...languages]);
}

/** Reads a text. */
export const readOdt = (input: Input): Promise<Document> => readOpenDocument(input, '.odt');

/** Reads a presentation. */
export const readOdp = (input: Input): Promise<Document> => readOpenDocument(input, '.odp');

/** The parents of the styles of paragraphs, and the default languages. */
async function readStyles(zip: Zip, input: Input) {
  const parents = new Map<string, string>();
  const languages: string[] = [];
  const part = 'styles.xml';
  const names = 'style:style style:default-style style:text-properties';
  for (const { name, attributes, parent } of zip.has(part) ? await elementsOf(zip, part, input, names) : []) {
    if (name === 'style:style') addStyle(parents, attributes);
    else if (parent?.name === 'style:default-style' && parent.attributes.get('style:family') === 'paragraph')
      for (const [prefix, script] of [
        ['fo', ''],
        ['style', '-asian'],
        ['style', '-complex'],
      ] as const) {
        const [language, country] = ['language', 'country']
          .map((part) => attributes.get(`${prefix}:${part}${script}`))
          .filter((value) => value && value !== 'none');
        if (language) languages.push(country ? `${language}-${country}` : language);
      }
  }
  return { parents, languages };
}

function addStyle(parents: Map<string, string>, attributes: XmlElement['attributes']): void {
  const name = attributes.get('style:name');
  const parent = attributes.get('style:parent-style-name');
  if (name && parent && attributes.get('style:family') === 'paragraph') parents.set(name, parent);
}

/** Collects the blocks and slides of `content.xml`. Adds its styles to `parents`. */
function contentReader(flow: Flow, slides: Slide[], parents: Map<string, string>): XmlHandler {
  let slide: Slide | undefined;
  const target = () => slide?.flow ?? flow;
  return {
    open({ name, attributes }) {
      const role = attributes.get('presentation:class') ?? '';
      const isFrame = FRAMES.has(name);
      if (SKIPPED.has(name) || (isFrame && SLIDE_FOOTERS.has(role))) return name;
      if (isFrame) slide?.openFrame(role);
      else if (name === 'style:style') addStyle(parents, attributes);
      else if (name === 'draw:page') {
        slide = new Slide();
        slides.push(slide);
      } else if (name === 'text:s')
        target().append(' '.repeat(Math.min(MAX_SPACES, Number(attributes.get('text:c') ?? 1) || 1)));
      else target().open(name, levelOf(name, attributes, parents));
      return undefined;
    },
    close(name) {
      if (FRAMES.has(name)) slide?.closeFrame();
      else if (name === 'draw:page') {
        for (const block of slide?.blocks(slides.length) ?? []) flow.add(block);
        slide = undefined;
      } else target().close(name);
    },
    text: (value) => target().append(value.replaceAll('\n', ' ')),
  };
}

/** The level of a heading, or of a paragraph with the style Title or one that is based on it. */
function levelOf(name: string, attributes: XmlElement['attributes'], parents: Map<string, string>) {
  if (name === 'text:h') return Number(attributes.get('text:outline-level') ?? 1) + 1;
  let style = attributes.get('text:style-name');
  for (let i = 0; i < MAX_PARENTS && style !== undefined && style !== 'Title'; i++)
    style = parents.get(style);
  return style === 'Title' ? 1 : undefined;
}
