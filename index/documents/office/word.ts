import type { Zip } from '../archive/zip.ts';
import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { Flow, toDocument } from './flow.ts';
import { openPackage, propertiesOf, relationsOf } from './office-package.ts';
import { type Attributes, readXml, type XmlElement } from './office-xml.ts';

/** Notes that Word draws itself: the line above notes. */
const SEPARATORS = new Set(['separator', 'continuationSeparator', 'continuationNotice']);

/**
 * Reads a Word document. Footnotes, endnotes and the text of boxes follow the paragraph that contains them. Tables of contents,
 * comments, deleted and hidden text, headers and footers are left out.
 */
export async function readWord(input: Input): Promise<Document> {
  const zip = await openPackage(input, '.docx');
  const main = (await relationsOf(zip, '', input)).find(({ type }) => type === 'officeDocument')?.target;
  const mainPart = main ?? 'word/document.xml';
  const relations = await relationsOf(zip, mainPart, input);
  const styles = await readWordStyles(zip, relations.find(({ type }) => type === 'styles')?.target, input);
  const notes = new Map<string, Block[]>();
  for (const { type, target } of relations)
    if ((type === 'footnotes' || type === 'endnotes') && zip.has(target))
      await readNotes(zip, target, styles, notes, input);
  const flow = new Flow();
  await readXml(zip.stream(mainPart), input, new WordReader(flow, styles, notes));
  const { title, lang } = await propertiesOf(zip, input);
  return toDocument(input, flow.blocks, title, [lang, ...styles.languages]);
}

/** Collects the blocks of each note, by `footnote` or `endnote` and its id. */
async function readNotes(
  zip: Zip,
  part: string,
  styles: WordStyles,
  notes: Map<string, Block[]>,
  input: Input,
): Promise<void> {
  let reader: WordReader | undefined;
  await readXml(zip.stream(part), input, {
    open: (element) => {
      const { name, attributes } = element;
      if (name !== 'w:footnote' && name !== 'w:endnote') reader?.open(element);
      else if (!SEPARATORS.has(attributes.get('w:type') ?? '')) {
        const flow = new Flow();
        notes.set(`${name.slice(2)} ${attributes.get('w:id')}`, flow.blocks);
        reader = new WordReader(flow, styles, new Map());
      }
    },
    text: (value) => reader?.text(value),
    close: (name) => {
      if (name === 'w:footnote' || name === 'w:endnote') reader = undefined;
      else reader?.close(name);
    },
  });
}

/** Subtrees that are not text: deleted and moved text, earlier formats, pronunciations, copies for older programs. */
const SKIPPED = new Set([
  'w:del',
  'w:moveFrom',
  'w:pPrChange',
  'w:rPrChange',
  'w:tblPrChange',
  'w:tcPrChange',
  'w:trPrChange',
  'w:sectPrChange',
  'w:rt',
  'mc:Fallback',
]);
const CHARACTERS = new Map([
  ['w:tab', '\t'],
  ['w:ptab', '\t'],
  ['w:br', '\n'],
  ['w:cr', '\n'],
  ['w:noBreakHyphen', '-'],
]);

/** Adds the content of a part of a Word document to a flow. */
export class WordReader {
  readonly #flow: Flow;
  readonly #styles: WordStyles;
  /** Notes that no paragraph has referred to yet. */
  readonly #notes: Map<string, Block[]>;
  /** Depths of the open paragraphs and content controls. */
  readonly #paragraphs: number[] = [];
  readonly #controls: number[] = [];
  /** The state around each open text box. */
  readonly #boxes: { isInRun: boolean; isHidden: boolean }[] = [];
  #depth = 0;
  /** Depth of the open element whose content is left out; 0 if there is none. */
  #skippedFrom = 0;
  #isInRun = false;
  #isHidden = false;
  #isText = false;

  constructor(flow: Flow, styles: WordStyles, notes: Map<string, Block[]>) {
    this.#flow = flow;
    this.#styles = styles;
    this.#notes = notes;
  }

  open(element: XmlElement): void {
    const { name } = element;
    this.#depth++;
    if (this.#skippedFrom > 0) return;
    if (SKIPPED.has(name)) this.#skippedFrom = this.#depth;
    else if (name === 'w:txbxContent') this.#openBox();
    else if (this.#isInRun) this.#openInRun(element);
    else if (name === 'w:p') {
      this.#paragraphs.push(this.#depth);
      this.#flow.openParagraph();
    } else if (name === 'w:r') this.#isInRun = true;
    else if (name === 'm:t') this.#isText = true;
    else if (name === 'w:pStyle') this.#setRole(this.#styles.roleOf(val(element)));
    else if (name === 'w:outlineLvl') this.#setOutline(Number(val(element)));
    else if (name === 'w:sdt') this.#controls.push(this.#depth);
    else if (name === 'w:docPartGallery' && val(element) === 'Table of Contents')
      this.#skippedFrom = this.#controls.at(-1) ?? 0;
    else if (name === 'w:tbl') this.#flow.openTable();
    else if (name === 'w:tr') this.#flow.openRow();
    else if (name === 'w:tc') this.#flow.openCell();
  }

  text(value: string): void {
    if (this.#isText && !this.#isHidden && this.#skippedFrom === 0) this.#flow.append(value);
  }

  close(name: string): void {
    const depth = this.#depth--;
    if (this.#skippedFrom > 0 && this.#skippedFrom !== depth) return;
    this.#skippedFrom = 0;
    if (name === 'w:t' || name === 'm:t') this.#isText = false;
    else if (name === 'w:r') this.#isInRun = this.#isHidden = false;
    else if (name === 'w:p') {
      this.#paragraphs.pop();
      this.#flow.closeParagraph();
    } else if (name === 'w:txbxContent') this.#closeBox();
    else if (name === 'w:sdt') this.#controls.pop();
    else if (name === 'w:tc') this.#flow.closeCell();
    else if (name === 'w:tbl') this.#flow.closeTable();
  }

  /** The paragraphs of a text box contain runs of their own. */
  #openBox(): void {
    this.#boxes.push({ isInRun: this.#isInRun, isHidden: this.#isHidden });
    this.#isInRun = this.#isHidden = false;
  }

  #closeBox(): void {
    const { isInRun = false, isHidden = false } = this.#boxes.pop() ?? {};
    this.#isInRun = isInRun;
    this.#isHidden = isHidden;
  }

  #openInRun(element: XmlElement): void {
    const { name, attributes } = element;
    if (name === 'w:t' || name === 'm:t') this.#isText = true;
    else if (name === 'w:vanish') this.#isHidden = !/^(?:0|false|off)$/.test(val(element));
    else if (name === 'w:footnoteReference' || name === 'w:endnoteReference')
      this.#addNote(`${name.slice(2, -9)} ${attributes.get('w:id')}`);
    else if (CHARACTERS.has(name) && !this.#isHidden) this.#flow.append(CHARACTERS.get(name) ?? '');
  }

  #addNote(key: string): void {
    for (const block of this.#notes.get(key) ?? []) this.#flow.add(block);
    this.#notes.delete(key);
  }

  #setRole(role: ReturnType<WordStyles['roleOf']>): void {
    if (role === 'contents') this.#skippedFrom = this.#paragraphs.at(-1) ?? 0;
    else if (role !== 'text') this.#flow.setLevel(role.level);
  }

  /** An outline level of the paragraph itself, from 0; 9 is body text. */
  #setOutline(outline: number): void {
    if (outline >= 0 && outline < 9) this.#flow.setLevel(outline + 2);
    else this.#flow.setLevel(undefined);
  }
}

function val({ attributes }: XmlElement): string {
  return attributes.get('w:val') ?? '';
}

/** What a paragraph is by its style. */
export type Role = { level: number } | 'contents' | 'text';

/** The styles of a Word document. */
export interface WordStyles {
  roleOf(styleId: string | null | undefined): Role;
  /** The default languages: of Western, East Asian and right-to-left text. */
  languages: (string | undefined)[];
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

interface Style {
  name: string;
  base?: string;
  outline?: number;
}

/** Reads the styles part. Without one, the ids of styles are taken for their names. */
export async function readWordStyles(zip: Zip, part: string | undefined, input: Input): Promise<WordStyles> {
  const styles = new Map<string, Style>();
  let languages: WordStyles['languages'] = [];
  let style: Style | undefined;
  let isDefault = false;
  const open = (name: string, attributes: Attributes) => {
    const value = attributes.get('w:val') ?? '';
    if (name === 'w:docDefaults') isDefault = true;
    else if (name === 'w:lang' && isDefault)
      languages = ['w:val', 'w:eastAsia', 'w:bidi'].map((key) => attributes.get(key));
    else if (name === 'w:style') {
      style = { name: '' };
      const id = attributes.get('w:styleId') ?? '';
      if (attributes.get('w:type') === 'paragraph' && !styles.has(id)) styles.set(id, style);
    } else if (style && name === 'w:name') style.name = value;
    else if (style && name === 'w:basedOn') style.base = value;
    else if (style && name === 'w:outlineLvl') style.outline = Number(value);
  };
  if (part !== undefined && zip.has(part)) {
    await readXml(zip.stream(part), input, {
      open: ({ name, attributes }) => open(name, attributes),
      close: (name) => {
        if (name === 'w:docDefaults') isDefault = false;
        if (name === 'w:style') style = undefined;
      },
    });
  }
  const roles = new Map<string, Role>();
  const roleOf = (styleId: string | null | undefined): Role => {
    if (!styleId) return 'text';
    const role = roles.get(styleId) ?? findRole(styles, styleId);
    roles.set(styleId, role);
    return role;
  };
  return { roleOf, languages };
}

/** A style without a telling name has the role of the style that it is based on. */
function findRole(styles: Map<string, Style>, styleId: string): Role {
  let id: string | undefined = styleId;
  for (let i = 0; i < MAX_BASES && id; i++) {
    const style: Style = styles.get(id) ?? { name: id };
    if (CONTENTS.test(style.name)) return 'contents';
    const heading = HEADING.exec(style.name);
    if (heading) return { level: Number(heading[1]) + 1 };
    if (TITLE.test(style.name)) return { level: 1 };
    if (style.outline !== undefined) return style.outline < 9 ? { level: style.outline + 2 } : 'text';
    id = style.base;
  }
  return 'text';
}
