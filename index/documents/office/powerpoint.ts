import { posix } from 'node:path';
import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { Slide, toDocument } from './flow.ts';
import { openOffice, propertiesOf, relationsOf } from './office-package.ts';
import { elementsOf, readXml, type XmlHandler } from './office-xml.ts';

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
  let firstTitle = '';
  for (const [i, part] of [...parts].entries()) {
    const slide = new Slide();
    const targets = await relationsOf(zip, part, input);
    const ofType = (wanted: string) => targets.flatMap(({ type, target }) => (type === wanted ? target : []));
    for (const target of [part, ...ofType('diagramData'), ...ofType('notesSlide')])
      await readXml(zip, target, input, shapeReader(slide, languages));
    firstTitle ||= slide.title;
    for (const block of slide.blocks(i + 1)) blocks.push(block);
  }
  const { title, lang } = await propertiesOf(zip, properties, input);
  const byLength = [...languages].sort((a, b) => b[1] - a[1]).map(([tag]) => tag);
  return toDocument(input, blocks, title ?? (firstTitle || posix.parse(input.source).name), [
    lang,
    ...byLength,
  ]);
}

/**
 * Collects the text of shapes.
 * @param languages counts how much text each language has
 */
function shapeReader(slide: Slide, languages: Map<string, number>): XmlHandler {
  let lang = '';
  return {
    open({ name, attributes }) {
      const type = attributes.get('type') ?? '';
      if (name === 'mc:Fallback' || (name === 'a:fld' && NUMBER_OR_DATE.test(type))) return name;
      if (name === 'p:ph') {
        if (NOT_TEXT.has(type)) return 'p:sp';
        slide.openFrame(type === 'ctrTitle' ? 'title' : type);
      } else if (name === 'a:rPr') lang = attributes.get('lang') ?? '';
      else slide.flow.open(name);
      return undefined;
    },
    close(name) {
      if (name === 'a:r') lang = '';
      if (name === 'p:sp') slide.closeFrame();
      else slide.flow.close(name);
    },
    text(value, parent) {
      if (parent !== 'a:t' && parent !== 'm:t') return;
      slide.flow.append(value);
      if (lang !== '') languages.set(lang, (languages.get(lang) ?? 0) + value.length);
    },
  };
}
