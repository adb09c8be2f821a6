import type { Input, Reader } from '../input.ts';
import { MAX_SPREADSHEET_BYTES } from './office-package.ts';
import { parseXml, type XmlElement } from './office-xml.ts';
import { openOpenDocument } from './open-document.ts';
import { CellCollector, MAX_COLUMNS, type SheetRow, sheetDocuments } from './sheets.ts';

/** Subtrees whose text is not that of cells. */
const SKIPPED = new Set(['office:annotation', 'table:shapes', 'table:tracked-changes', 'office:forms']);

/** Reads an OpenDocument spreadsheet. */
export const readCalc: Reader = (input) => sheetDocuments(calcRows(input), input);

/**
 * Streams the rows of an OpenDocument spreadsheet, sheet by sheet: text as shown, dates as ISO dates. Equal rows that the file stores
 * once are read once. Reports hidden sheets and skips them. Comments, drawings and empty rows are left out.
 */
async function* calcRows(input: Input): AsyncGenerator<SheetRow> {
  const zip = await openOpenDocument(input, '.ods', MAX_SPREADSHEET_BYTES);
  const reader = new TableReader(input);
  for await (const _ of parseXml(zip.stream('content.xml'), input, reader)) yield* reader.rows.splice(0);
}

/** Collects the rows of all sheets. */
class TableReader {
  readonly rows: SheetRow[] = [];
  readonly #input: Input;
  readonly #cells: CellCollector;
  readonly #hiddenStyles = new Set<string>();
  #style = '';
  #sheet = '';
  /** Number of the open row, and how many equal rows it is. */
  #number = 0;
  #repeated = 1;
  #column = 0;
  #cell: XmlElement['attributes'] = new Map();
  #text = '';

  constructor(input: Input) {
    this.#input = input;
    this.#cells = new CellCollector(input);
  }

  open({ name, attributes }: XmlElement): string | undefined {
    if (SKIPPED.has(name)) return name;
    if (name === 'style:style') this.#style = attributes.get('style:name') ?? '';
    else if (name === 'style:table-properties' && attributes.get('table:display') === 'false')
      this.#hiddenStyles.add(this.#style);
    else if (name === 'table:table') return this.#openSheet(attributes) ? undefined : name;
    else if (name === 'table:table-row') {
      this.#column = 0;
      this.#number += this.#repeated;
      this.#repeated = repetition(attributes.get('table:number-rows-repeated'));
    } else if (isCell(name)) {
      this.#cell = attributes;
      this.#text = '';
    } else if (/^text:(?:p|s|tab|line-break)$/.test(name)) this.#text += ' ';
    return undefined;
  }

  text(value: string): void {
    this.#text += value;
  }

  close(name: string): void {
    if (isCell(name)) this.#closeCell();
    else if (name === 'table:table-row') {
      const cells = this.#cells.take();
      if (cells.length > 0) this.rows.push({ sheet: this.#sheet, number: this.#number, cells });
    }
  }

  /** Returns whether the sheet is shown. */
  #openSheet(attributes: XmlElement['attributes']): boolean {
    this.#sheet = attributes.get('table:name') ?? '';
    this.#number = 0;
    this.#repeated = 1;
    const isHidden = this.#hiddenStyles.has(attributes.get('table:style-name') ?? '');
    const place = `${this.#input.path} (${this.#sheet})`;
    if (isHidden) this.#input.report({ kind: 'skipped', place, reason: 'hidden sheet' });
    return !isHidden;
  }

  #closeCell(): void {
    const repeated = repetition(this.#cell.get('table:number-columns-repeated'));
    const date = this.#cell
      .get('office:date-value')
      ?.replace(/T00:00:00.*$/, '')
      .replace('T', ' ');
    const text = date ?? this.#text;
    if (text.trim() !== '')
      for (let i = 0; i < Math.min(repeated, MAX_COLUMNS); i++) this.#cells.set(this.#column + i, text);
    this.#column += repeated;
  }
}

function isCell(name: string): boolean {
  return name === 'table:table-cell' || name === 'table:covered-table-cell';
}

function repetition(declared = '1'): number {
  const count = Number(declared);
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}
