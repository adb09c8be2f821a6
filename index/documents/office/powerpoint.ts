import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { fileTitle, Slide, toDocument } from './flow.ts';
import { openOffice, propertiesOf, relationsOf } from './office-package.ts';
import { elementsOf, readXml, type XmlElement } from './office-xml.ts';

/** Placeholders that recur on every slide, or show the slide itself. */
const NOT_TEXT = new Set(['dt', 'ftr', 'hdr', 'sldNum', 'sldImg']);
/** Fields whose text is not that of the slide. */
const NUMBER_OR_DATE = /^(?:slidenum|datetime)/;

/**
 * Reads a presentation: each slide is a section, in the order of the presentation. Speaker notes follow the slide's text. Hidden slides
 * are read too, as the editor shows them. Comments and the text of layouts are left out.
 */
export async function readPowerPoint(input: Input): Promise<Document> {
  const { zip, main, relations, properties } = await openOffice(input, '.pptx', 'ppt/presentation.xml');
  const ids = (await elementsOf(zip, main, input, 'p:sldId')).map(({ attributes }) => attributes.get('r:id'));
  const parts = new Set(ids.flatMap((id) => relations.find((relation) => relation.id === id)?.target ?? []));
  const languages = new Map<string, number>();
  const blocks: Block[] = [];
  let number = 0;
  let firstTitle: string | undefined;
  for (const part of parts) {
    const slide = new Slide(++number);
    const related = await relationsOf(zip, part, input);
    const read = (target: string) => readXml(zip, target, input, new ShapeReader(slide, languages));
    await read(part);
    for (const { type, target } of related) if (type === 'diagramData') await read(target);
    slide.openNotes();
    for (const { type, target } of related) if (type === 'notesSlide') await read(target);
    firstTitle ??= slide.title || undefined;
    for (const block of slide.blocks) blocks.push(block);
  }
  const { title, lang } = await propertiesOf(zip, properties, input);
  const byLength = [...languages].sort((a, b) => b[1] - a[1]).map(([tag]) => tag);
  return toDocument(input, blocks, title ?? firstTitle ?? fileTitle(input), [lang, ...byLength]);
}

/** Collects the text of shapes. */
class ShapeReader {
  readonly #slide: Slide;
  /** How much text each language has. */
  readonly #languages: Map<string, number>;
  #lang = '';

  constructor(slide: Slide, languages: Map<string, number>) {
    this.#slide = slide;
    this.#languages = languages;
  }

  open({ name, attributes }: XmlElement): string | undefined {
    const type = attributes.get('type') ?? '';
    if (name === 'mc:Fallback' || (name === 'a:fld' && NUMBER_OR_DATE.test(type))) return name;
    if (name === 'p:ph') {
      if (NOT_TEXT.has(type)) return 'p:sp';
      this.#slide.openFrame(type === 'ctrTitle' ? 'title' : type);
    } else if (name === 'a:rPr') this.#lang = attributes.get('lang') ?? '';
    else this.#slide.flow.open(name);
    return undefined;
  }

  close(name: string): void {
    if (name === 'a:r') this.#lang = '';
    if (name === 'p:sp') this.#slide.closeFrame();
    else this.#slide.flow.close(name);
  }

  text(value: string, parent: string): void {
    if (parent !== 'a:t' && parent !== 'm:t') return;
    this.#slide.flow.append(value);
    if (this.#lang !== '')
      this.#languages.set(this.#lang, (this.#languages.get(this.#lang) ?? 0) + value.length);
  }
}
