import type { Zip } from '../archive/zip.ts';
import type { Input, Reader } from '../input.ts';
import { MAX_SPREADSHEET_BYTES, openPackage, relationsOf } from './office-package.ts';
import { parseXml, readXml, type XmlElement } from './office-xml.ts';
import { CellCollector, type SheetRow, sheetDocuments } from './sheets.ts';

/** The most bytes of the table of strings, inflated. It is held in memory. */
const MAX_STRING_BYTES = 96 * 2 ** 20;

/** What the cells of a workbook refer to. */
interface Workbook {
  strings: string[];
  /** Codes of number formats, by style. */
  formats: (string | undefined)[];
  is1904: boolean;
}

/** Reads a workbook. */
export const readExcel: Reader = (input) => sheetDocuments(excelRows(input), input);

/**
 * Streams the rows of a workbook, sheet by sheet in the order of its tabs: results of formulas, and dates as ISO dates. Reports hidden
 * sheets and skips them. Comments, charts and empty rows are left out.
 */
async function* excelRows(input: Input): AsyncGenerator<SheetRow> {
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

async function readStrings(zip: Zip, part: string | undefined, input: Input): Promise<string[]> {
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
  zip: Zip,
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

/** The codes of built-in number formats that change how a number reads. Dates differ by country, and are written as ISO dates. */
const BUILT_IN: Record<number, string> = {
  1: '0',
  2: '0.00',
  3: '#,##0',
  4: '#,##0.00',
  9: '0%',
  10: '0.00%',
  37: '#,##0',
  38: '#,##0',
  39: '#,##0.00',
  40: '#,##0.00',
};
const DATES = [14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58];
const TIMES = [18, 19, 20, 21, 32, 33, 34, 35, 45];

for (const id of DATES) BUILT_IN[id] = 'yyyy-mm-dd';
for (const id of TIMES) BUILT_IN[id] = 'hh:mm';

/** Days from the start of Excel's calendar to 1970. */
const DAYS_TO_1970 = 25_569;
/** Excel counts 29 February 1900, which did not exist. */
const FALSE_LEAP_DAY = 60;
const DAYS_TO_1904 = 1_462;
/** 31 December 9999. */
const LAST_DAY = 2_958_465;
const DAY = 86_400_000;
const MAX_DECIMALS = 10;
const MAX_CODE_LENGTH = 255;

/** The code of a built-in number format; undefined for the general format. */
export function builtInFormat(id: number): string | undefined {
  return BUILT_IN[id];
}

/**
 * A number as its format shows it: dates and times in ISO form, percentages, fixed decimals. Groups of thousands, currencies and other
 * decoration are left out.
 */
export function formatNumber(raw: string, code: string | undefined, is1904: boolean): string {
  const value = Number(raw);
  if (raw.trim() === '' || !Number.isFinite(value)) return raw;
  // Sections are for positive, negative, zero and text; what is quoted, escaped or in brackets is no placeholder.
  const pattern = code
    ?.slice(0, MAX_CODE_LENGTH)
    .replace(/"[^"]*"|\\.|_.|\*./g, '')
    .replace(/\[[^\]]*\]/g, '')
    .split(';')[0];
  if (!pattern || /general/i.test(pattern)) return plain(value);
  if (/[ymdhs]/i.test(pattern)) return formatDate(value, pattern, is1904) ?? plain(value);
  const decimals = Math.min(MAX_DECIMALS, pattern.match(/\.([0#?]+)/)?.[1]?.length ?? 0);
  const isPadded = /\.0/.test(pattern);
  const show = (number: number) =>
    isPadded ? number.toFixed(decimals) : plain(Number(number.toFixed(decimals)));
  if (pattern.includes('%')) return `${show(value * 100)}%`;
  return /^[^0#?]*[0#?,]+(?:\.[0#?]+)?[^0#?]*$/.test(pattern) ? show(value) : plain(value);
}

/** Excel shows 15 digits. */
function plain(value: number): string {
  return String(Number(value.toPrecision(15)));
}

function formatDate(value: number, pattern: string, is1904: boolean): string | undefined {
  const serial = value + (is1904 ? DAYS_TO_1904 : 0);
  if (serial < 0 || serial > LAST_DAY) return undefined;
  const days = serial - DAYS_TO_1970 + (serial < FALSE_LEAP_DAY && !is1904 ? 1 : 0);
  const iso = new Date(Math.round((days * DAY) / 1000) * 1000).toISOString();
  const date = iso.slice(0, 10);
  const time = iso.slice(11, iso.slice(17, 19) === '00' ? 16 : 19);
  const isTime = !/[yd]/i.test(pattern) && /[hs]/i.test(pattern);
  if (isTime && value < 1) return time;
  return time === '00:00' ? date : `${date} ${time}`;
}
