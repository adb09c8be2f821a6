import type { Zip } from '../archive/zip.ts';
import type { Input, Reader } from '../input.ts';
import { MAX_SPREADSHEET_BYTES, openOffice } from './office-package.ts';
import { elementsOf, parseXml, type XmlElement, type XmlHandler } from './office-xml.ts';
import { cellCollector, type SheetRow, sheetDocuments } from './sheets.ts';

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
  const { zip, main, relations } = await openOffice(input, '.xlsx', 'xl/workbook.xml', MAX_SPREADSHEET_BYTES);
  const part = (wanted: string) => relations.find(({ type }) => type === wanted)?.target;
  const elements = await elementsOf(zip, main, input, 'x:workbookPr x:sheet');
  const workbook = {
    strings: await readStrings(zip, part('sharedStrings'), input),
    formats: await readFormats(zip, part('styles'), input),
    is1904: elements.some(({ attributes }) => /^(?:1|true)$/.test(attributes.get('date1904') ?? '')),
  };
  const cells = cellCollector(input);
  for (const { name, attributes } of elements) {
    if (name !== 'x:sheet') continue;
    const sheet = attributes.get('name') ?? '';
    const relation = relations.find(({ id, type }) => id === attributes.get('r:id') && type === 'worksheet');
    if ((attributes.get('state') ?? 'visible') !== 'visible')
      input.report({ kind: 'skipped', place: `${input.path} (${sheet})`, reason: 'hidden sheet' });
    else if (relation) {
      const rows: SheetRow[] = [];
      const reader = sheetReader(sheet, workbook, cells, rows);
      for await (const _ of parseXml(zip.stream(relation.target), input, reader)) yield* rows.splice(0);
    }
  }
}

/** The strings that cells refer to, without pronunciations. */
async function readStrings(zip: Zip, part: string | undefined, input: Input): Promise<string[]> {
  const strings: string[] = [];
  const reader: XmlHandler = {
    open({ name }) {
      if (name === 'x:si') strings.push('');
      return name === 'x:rPh' ? name : undefined;
    },
    text(value, parent) {
      if (parent === 'x:t' && strings.length > 0) strings[strings.length - 1] += value;
    },
  };
  if (part !== undefined) for await (const _ of parseXml(zip.stream(part, MAX_STRING_BYTES), input, reader));
  return strings;
}

async function readFormats(zip: Zip, part: string | undefined, input: Input): Promise<Workbook['formats']> {
  const codes = new Map(BUILT_IN.flatMap(([code, ...ids]) => ids.map((id) => [String(id), code])));
  const formats: Workbook['formats'] = [];
  const names = 'x:numFmt x:cellXfs x:xf';
  for (const { name, attributes, parent } of part ? await elementsOf(zip, part, input, names) : []) {
    const id = attributes.get('numFmtId') ?? '0';
    if (name === 'x:numFmt') codes.set(id, attributes.get('formatCode') ?? '');
    else if (name === 'x:xf' && parent?.name === 'x:cellXfs') formats.push(codes.get(id));
  }
  return formats;
}

/** Collects the rows of a sheet in `rows`. */
function sheetReader(
  sheet: string,
  workbook: Workbook,
  row: ReturnType<typeof cellCollector>,
  rows: SheetRow[],
): XmlHandler {
  let number = 0;
  let cell: XmlElement['attributes'] = new Map();
  let value = '';
  return {
    open({ name, attributes }) {
      if (name === 'x:rPh') return name;
      if (name === 'x:c') [cell, value] = [attributes, ''];
      else if (name === 'x:row') number = Number(attributes.get('r') ?? number + 1);
      return undefined;
    },
    text(part, parent) {
      if (parent === 'x:v' || parent === 'x:t') value += part;
    },
    close(name) {
      if (name === 'x:c') row.set(columnOf(cell.get('r')) ?? row.next(), shown(cell, value, workbook));
      else if (name === 'x:row') {
        const cells = row.take();
        if (cells.length > 0) rows.push({ sheet, number, cells });
      }
    },
  };
}

/** A cell as a user sees it. */
function shown(
  cell: XmlElement['attributes'],
  value: string,
  { strings, formats, is1904 }: Workbook,
): string {
  const type = cell.get('t') ?? 'n';
  if (type === 's') return strings[Number(value)] ?? '';
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type === 'e') return '';
  if (type !== 'n') return value;
  return formatNumber(value, formats[Number(cell.get('s') ?? 0)], is1904);
}

/** The 0-based column of a reference such as `AB12`. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = reference?.match(/^[A-Z]{1,3}(?=\d)/i)?.[0].toUpperCase();
  if (!letters) return undefined;
  let column = 0;
  for (const letter of letters) column = 26 * column + letter.charCodeAt(0) - 64;
  return column - 1;
}

/** The built-in number formats that change how a number reads, and their ids. Dates differ by country. */
const BUILT_IN: [code: string, ...ids: number[]][] = [
  ['0', 1, 3, 37, 38],
  ['0.00', 2, 4, 39, 40],
  ['0%', 9],
  ['0.00%', 10],
  ['yyyy-mm-dd', 14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58],
  ['hh:mm', 18, 19, 20, 21, 32, 33, 34, 35, 45],
];

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

/**
 * A number as its format shows it: dates and times in ISO form, percentages, fixed decimals. Groups of thousands, currencies and other
 * decoration are left out.
 */
function formatNumber(raw: string, code: string | undefined, is1904: boolean): string {
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
