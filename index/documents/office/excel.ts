import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import { CellCollector } from './cells.ts';
import { builtInFormat, formatNumber } from './number-format.ts';
import { MAX_SPREADSHEET_BYTES, openPackage, relationsOf } from './package.ts';
import type { SheetRow } from './sheets.ts';
import { parseXml, readXml, type XmlElement } from './xml.ts';

/** The most bytes of the table of strings, inflated. It is held in memory. */
const MAX_STRING_BYTES = 96 * 2 ** 20;

/** What the cells of a workbook refer to. */
interface Workbook {
  strings: string[];
  /** Codes of number formats, by style. */
  formats: (string | undefined)[];
  is1904: boolean;
}

/**
 * Streams the rows of a workbook, sheet by sheet in the order of its tabs: results of formulas, and dates as ISO dates. Reports hidden
 * sheets and skips them. Comments, charts and empty rows are left out.
 */
export async function* excelRows(input: Input): AsyncGenerator<SheetRow> {
  const zip = await openPackage(input, '.xlsx', MAX_SPREADSHEET_BYTES);
  const main = (await relationsOf(zip, '', input)).find(({ type }) => type === 'officeDocument')?.target;
  const mainPart = main ?? 'xl/workbook.xml';
  const relations = await relationsOf(zip, mainPart, input);
  const part = (type: string) =>
    relations.find((relation) => relation.type === type && zip.has(relation.target))?.target;
  const sheets: { name: string; id: string }[] = [];
  let is1904 = false;
  await readXml(zip.stream(mainPart), input, {
    open: ({ name, attributes }) => {
      if (name === 'x:workbookPr') is1904 = /^(?:1|true)$/.test(attributes.get('date1904') ?? '');
      if (name !== 'x:sheet') return;
      const sheet = { name: attributes.get('name') ?? '', id: attributes.get('r:id') ?? '' };
      if ((attributes.get('state') ?? 'visible') === 'visible') sheets.push(sheet);
      else input.report({ kind: 'skipped', place: `${input.path} (${sheet.name})`, reason: 'hidden sheet' });
    },
  });
  const workbook = {
    strings: await readStrings(zip, part('sharedStrings'), input),
    formats: await readFormats(zip, part('styles'), input),
    is1904,
  };
  const cells = new CellCollector(input);
  for (const { name, id } of sheets) {
    const relation = relations.find((each) => each.id === id && each.type === 'worksheet');
    if (!relation || !zip.has(relation.target)) continue;
    const reader = new SheetReader(workbook, cells);
    for await (const _ of parseXml(zip.stream(relation.target), input, reader))
      for (const row of reader.rows.splice(0)) yield { sheet: name, ...row };
  }
}

async function readStrings(zip: ZipEntries, part: string | undefined, input: Input): Promise<string[]> {
  const strings: string[] = [];
  const text = new TextCollector();
  if (part === undefined) return strings;
  await readXml(zip.stream(part, MAX_STRING_BYTES), input, {
    open: ({ name }) => text.open(name),
    close: (name) => {
      text.close(name);
      if (name === 'x:si') strings.push(text.take());
    },
    text: (value) => text.add(value),
  });
  return strings;
}

/** Collects the text of a string: its runs, without the pronunciation. */
class TextCollector {
  #text = '';
  #isText = false;
  #isPronunciation = false;

  open(name: string): void {
    if (name === 'x:rPh') this.#isPronunciation = true;
    this.#isText = name === 'x:t' && !this.#isPronunciation;
  }

  close(name: string): void {
    if (name === 'x:rPh') this.#isPronunciation = false;
    this.#isText = false;
  }

  add(value: string): void {
    if (this.#isText) this.#text += value;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

async function readFormats(
  zip: ZipEntries,
  part: string | undefined,
  input: Input,
): Promise<(string | undefined)[]> {
  const codes = new Map<string, string>();
  const formats: (string | undefined)[] = [];
  let isCells = false;
  if (part === undefined) return formats;
  await readXml(zip.stream(part), input, {
    open: ({ name, attributes }) => {
      const id = attributes.get('numFmtId') ?? '0';
      if (name === 'x:numFmt') codes.set(id, attributes.get('formatCode') ?? '');
      else if (name === 'x:cellXfs') isCells = true;
      else if (name === 'x:xf' && isCells) formats.push(codes.get(id) ?? builtInFormat(Number(id)));
    },
    close: (name) => {
      if (name === 'x:cellXfs') isCells = false;
    },
  });
  return formats;
}

/** Collects the rows of a sheet. */
class SheetReader {
  readonly rows: { number: number; cells: string[] }[] = [];
  #number = 0;
  readonly #workbook: Workbook;
  readonly #cells: CellCollector;
  readonly #inline = new TextCollector();
  #cell: XmlElement['attributes'] = new Map();
  #value = '';
  #isValue = false;

  constructor(workbook: Workbook, cells: CellCollector) {
    this.#workbook = workbook;
    this.#cells = cells;
  }

  open({ name, attributes }: XmlElement): void {
    this.#isValue = name === 'x:v';
    if (name === 'x:c') {
      this.#cell = attributes;
      this.#value = '';
    } else if (name === 'x:row') this.#number = Number(attributes.get('r') ?? this.#number + 1);
    else this.#inline.open(name);
  }

  text(value: string): void {
    if (this.#isValue) this.#value += value;
    else this.#inline.add(value);
  }

  close(name: string): void {
    this.#isValue = false;
    this.#inline.close(name);
    if (name === 'x:c') {
      const column = columnOf(this.#cell.get('r')) ?? this.#cells.next;
      this.#cells.set(column, this.#shown());
    } else if (name === 'x:row') {
      const cells = this.#cells.take();
      if (cells.length > 0) this.rows.push({ number: this.#number, cells });
    }
  }

  /** The cell as a user sees it. */
  #shown(): string {
    const { strings, formats, is1904 } = this.#workbook;
    const inline = this.#inline.take();
    switch (this.#cell.get('t')) {
      case 's':
        return strings[Number(this.#value)] ?? '';
      case 'inlineStr':
        return inline;
      case 'b':
        return this.#value === '1' ? 'TRUE' : 'FALSE';
      case 'e':
        return '';
      case 'str':
      case 'd':
        return this.#value;
      default:
        return formatNumber(this.#value, formats[Number(this.#cell.get('s') ?? 0)], is1904);
    }
  }
}

/** The 0-based column of a reference such as `AB12`. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = reference?.match(/^[A-Z]{1,3}(?=\d)/i)?.[0].toUpperCase();
  if (!letters) return undefined;
  let column = 0;
  for (const letter of letters) column = 26 * column + letter.charCodeAt(0) - 64;
  return column - 1;
}
