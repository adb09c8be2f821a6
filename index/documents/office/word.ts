import type { Zip } from '../archive/zip.ts';
import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { Flow, toDocument } from './flow.ts';
import { openOffice, propertiesOf } from './office-package.ts';
import { elementsOf, readXml, type XmlHandler } from './office-xml.ts';

/**
 * Reads a Word document. Footnotes, endnotes and the text of boxes follow the paragraph that contains them. Tables of contents,
 * comments, deleted and hidden text, headers and footers are left out.
 */
export async function readWord(input: Input): Promise<Document> {
  const { zip, main, relations, properties } = await openOffice(input, '.docx', 'word/document.xml');
  const { styles, languages } = await readStyles(
    zip,
    relations.find(({ type }) => type === 'styles')?.target,
    input,
  );
  const notes = new Map<string, Block[]>();
  for (const { type, target } of relations)
    if (/^(?:foot|end)notes$/.test(type))
      await readXml(zip, target, input, wordReader(new Flow(), styles, notes));
  const flow = new Flow();
  await readXml(zip, main, input, wordReader(flow, styles, notes));
  const { title, lang } = await propertiesOf(zip, properties, input);
  return toDocument(input, flow.blocks, title, [lang, ...languages]);
}

/** Subtrees that are not text: deleted and moved text, earlier formats, pronunciations, copies for older programs. */
const LEFT_OUT = /^(?:w:(?:del|moveFrom|rt|(?:p|r|tbl|tc|tr|sect)PrChange)|mc:Fallback)$/;

/**
 * Collects the blocks of a part of a Word document in `flow`, or those of each note in `notes`.
 * @param notes that no paragraph has referred to yet, by `w:footnote` or `w:endnote` and their id
 */
function wordReader(flow: Flow, styles: Map<string, Style>, notes: Map<string, Block[]>): XmlHandler {
  let isHidden = false;
  return {
    open({ name, attributes }) {
      const value = attributes.get('w:val') ?? '';
      if (LEFT_OUT.test(name)) return name;
      if (name === 'w:footnote' || name === 'w:endnote') {
        // Word draws the line above notes itself.
        if (/separator|continuationNotice/i.test(attributes.get('w:type') ?? '')) return name;
        flow = new Flow();
        notes.set(`${name} ${attributes.get('w:id')}`, flow.blocks);
      } else if (name === 'w:footnoteReference' || name === 'w:endnoteReference') {
        const key = `${name.replace('Reference', '')} ${attributes.get('w:id')}`;
        for (const block of notes.get(key) ?? []) flow.add(block);
        notes.delete(key);
      } else if (name === 'w:docPartGallery') return value === 'Table of Contents' ? 'w:sdt' : undefined;
      else if (name === 'w:pStyle') {
        const role = roleOf(styles, value);
        if (role === 'contents') return 'w:p';
        if (role !== 'text') flow.setLevel(role);
      } else if (name === 'w:outlineLvl') flow.setLevel(levelOf(value));
      else if (name === 'w:r') isHidden = false;
      else if (name === 'w:vanish') isHidden = !/^(?:0|false|off)$/.test(value);
      else if (!isHidden) flow.open(name);
      return undefined;
    },
    text(value, parent) {
      if ((parent === 'w:t' || parent === 'm:t') && !isHidden) flow.append(value);
    },
    close(name) {
      // Properties of a paragraph may hide its mark.
      if (name === 'w:r' || name === 'w:pPr') isHidden = false;
      flow.close(name);
    },
  };
}

interface Style {
  name: string;
  base?: string;
  outline?: string;
}

/** Names of heading styles. Word stores `heading 1` in every language, but other programs translate it. */
const HEADING =
  /^(?:heading|überschrift|titre|título|titolo|titulek|titel|kop|rubrik|overskrift|otsikko|nagłówek|nadpis|nadpisy|başlık|заголовок|επικεφαλίδα|כותרת|عنوان|سرعنوان|शीर्षक|หัวเรื่อง|đầu đề|見出し|标题|標題|제목)[ _-]?([1-9])$/iu;
/** Names of the style of a document's title. */
const TITLE =
  /^(?:title|titel|document title|título|titolo|tytuł|název|название|τίτλος|タイトル|表題|标题|標題|제목|العنوان)$/iu;
const CONTENTS =
  /^(?:toc ?(?:heading|[1-9])|table of figures|index ?(?:heading|[1-9])|contents ?(?:heading|[1-9]))$/i;

/** How many styles may be based on each other. */
const MAX_BASES = 20;

/** Reads the styles of paragraphs, and the default languages: of Western, East Asian and right-to-left text. */
async function readStyles(zip: Zip, part: string | undefined, input: Input) {
  const styles = new Map<string, Style>();
  const languages: (string | undefined)[] = [];
  const names = 'w:docDefaults w:lang w:style w:name w:basedOn w:outlineLvl';
  for (const { name, attributes, parent } of part ? await elementsOf(zip, part, input, names) : []) {
    const style = parent?.name === 'w:style' && styles.get(parent.attributes.get('w:styleId') ?? '');
    const value = attributes.get('w:val') ?? '';
    if (name === 'w:lang' && parent?.name === 'w:docDefaults')
      languages.push(value, attributes.get('w:eastAsia'), attributes.get('w:bidi'));
    else if (name === 'w:style' && attributes.get('w:type') === 'paragraph')
      styles.set(attributes.get('w:styleId') ?? '', { name: '' });
    else if (style && name === 'w:name') style.name = value;
    else if (style && name === 'w:basedOn') style.base = value;
    else if (style && name === 'w:outlineLvl') style.outline = value;
  }
  return { styles, languages };
}

/**
 * What a paragraph is by its style: a heading of a level, an entry of contents, or text. A style without a telling name is what the
 * style that it is based on is. A style that is missing has its id for a name.
 */
function roleOf(styles: Map<string, Style>, styleId: string): number | 'contents' | 'text' {
  let id: string | undefined = styleId;
  for (let i = 0; i < MAX_BASES && id; i++) {
    const style: Style = styles.get(id) ?? { name: id };
    if (CONTENTS.test(style.name)) return 'contents';
    const heading = HEADING.exec(style.name);
    if (heading) return Number(heading[1]) + 1;
    if (TITLE.test(style.name)) return 1;
    if (style.outline !== undefined) return levelOf(style.outline) ?? 'text';
    id = style.base;
  }
  return 'text';
}

/** The level of a heading with an outline level, which is from 0; 9 is body text. */
function levelOf(outline: string): number | undefined {
  return /^[0-8]$/.test(outline) ? Number(outline) + 2 : undefined;
}
