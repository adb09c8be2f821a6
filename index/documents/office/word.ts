import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import { Flow } from './flow.ts';
import { openPackage, propertiesOf, relationsOf } from './package.ts';
import { toDocument } from './titled.ts';
import { WordReader } from './word-reader.ts';
import { readWordStyles, type WordStyles } from './word-styles.ts';
import { readXml } from './xml.ts';

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
  zip: ZipEntries,
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
