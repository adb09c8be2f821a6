import type { Zip } from '../archive/zip.ts';
import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { fileTitle, Slide, toDocument } from './flow.ts';
import { openPackage, propertiesOf, type Relation, relationsOf } from './office-package.ts';
import { readXml, type XmlElement } from './office-xml.ts';

/** Placeholders that recur on every slide, or show the slide itself. */
const NOT_TEXT = new Set(['dt', 'ftr', 'hdr', 'sldNum', 'sldImg']);
/** Fields whose text is not that of the slide. */
const NUMBER_OR_DATE = /^(?:slidenum|datetime)/;

/**
 * Reads a presentation: each slide is a section, in the order of the presentation. Speaker notes follow the slide's text. Hidden slides
 * are read too, as the editor shows them. Comments and the text of layouts are left out.
 */
export async function readPowerPoint(input: Input): Promise<Document> {
  const zip = await openPackage(input, '.pptx');
  const main = (await relationsOf(zip, '', input)).find(({ type }) => type === 'officeDocument')?.target;
  const mainPart = main ?? 'ppt/presentation.xml';
  const parts = await slideParts(zip, mainPart, input);
  const languages = new Map<string, number>();
  const blocks: Block[] = [];
  let firstTitle: string | undefined;
  for (const [index, part] of parts.entries()) {
    const slide = new Slide(index + 1);
    await readSlide(zip, part, slide, languages, input);
    firstTitle ??= slide.title || undefined;
    for (const block of slide.blocks) blocks.push(block);
  }
  const { title, lang } = await propertiesOf(zip, input);
  const byLength = [...languages].sort((a, b) => b[1] - a[1]).map(([tag]) => tag);
  return toDocument(input, blocks, title ?? firstTitle ?? fileTitle(input), [lang, ...byLength]);
}

async function slideParts(zip: Zip, mainPart: string, input: Input): Promise<string[]> {
  const relations = new Map(
    (await relationsOf(zip, mainPart, input)).map((relation) => [relation.id, relation.target]),
  );
  const parts = new Set<string>();
  await readXml(zip.stream(mainPart), input, {
    open: ({ name, attributes }) => {
      const part = name === 'p:sldId' ? relations.get(attributes.get('r:id') ?? '') : undefined;
      if (part !== undefined && zip.has(part)) parts.add(part);
    },
  });
  return [...parts];
}

async function readSlide(
  zip: Zip,
  part: string,
  slide: Slide,
  languages: Map<string, number>,
  input: Input,
): Promise<void> {
  const related = async (relations: Relation[], type: string, reader: ShapeReader) => {
    for (const relation of relations)
      if (relation.type === type && zip.has(relation.target))
        await readXml(zip.stream(relation.target), input, reader);
  };
  const relations = await relationsOf(zip, part, input);
  await readXml(zip.stream(part), input, new ShapeReader(slide, languages));
  await related(relations, 'diagramData', new ShapeReader(slide, languages));
  slide.openNotes();
  await related(relations, 'notesSlide', new ShapeReader(slide, languages));
}

/** Collects the text of shapes. */
class ShapeReader {
  readonly #slide: Slide;
  /** How much text each language has. */
  readonly #languages: Map<string, number>;
  #depth = 0;
  /** Depth of the open element whose content is left out; 0 if there is none. */
  #skippedFrom = 0;
  /** Depth of the open shape. */
  #shape = 0;
  #isText = false;
  #lang = '';

  constructor(slide: Slide, languages: Map<string, number>) {
    this.#slide = slide;
    this.#languages = languages;
  }

  open({ name, attributes }: XmlElement): void {
    this.#depth++;
    if (this.#skippedFrom > 0) return;
    const { flow } = this.#slide;
    if (name === 'mc:Fallback') this.#skippedFrom = this.#depth;
    else if (name === 'p:sp') this.#shape = this.#depth;
    else if (name === 'p:ph') {
      const role = attributes.get('type') ?? 'body';
      if (NOT_TEXT.has(role)) this.#skippedFrom = this.#shape;
      else this.#slide.openFrame(role === 'ctrTitle' ? 'title' : role, this.#shape);
    } else if (name === 'a:p') flow.openParagraph();
    else if (name === 'a:fld' && NUMBER_OR_DATE.test(attributes.get('type') ?? ''))
      this.#skippedFrom = this.#depth;
    else if (name === 'a:rPr') this.#lang = attributes.get('lang') ?? '';
    else if (name === 'a:t' || name === 'm:t') this.#isText = true;
    else if (name === 'a:br') flow.append('\n');
    else if (name === 'a:tab') flow.append('\t');
    else if (name === 'a:tbl') flow.openTable();
    else if (name === 'a:tr') flow.openRow();
    else if (name === 'a:tc') flow.openCell();
  }

  close(name: string): void {
    const depth = this.#depth--;
    if (this.#skippedFrom > 0) {
      if (this.#skippedFrom === depth) this.#skippedFrom = 0;
      return;
    }
    const { flow } = this.#slide;
    if (name === 'a:p') flow.closeParagraph();
    else if (name === 'a:t' || name === 'm:t') this.#isText = false;
    else if (name === 'a:r') this.#lang = '';
    else if (name === 'a:tbl') flow.closeTable();
    else if (name === 'a:tc') flow.closeCell();
    else if (name === 'p:sp') this.#slide.closeFrame(depth);
  }

  text(value: string): void {
    if (this.#skippedFrom > 0 || !this.#isText) return;
    this.#slide.flow.append(value);
    if (this.#lang !== '')
      this.#languages.set(this.#lang, (this.#languages.get(this.#lang) ?? 0) + value.length);
  }
}
