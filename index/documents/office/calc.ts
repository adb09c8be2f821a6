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
  #depth = 0;
  #skippedFrom = 0;
  #sheet = '';
  /** Number of the open row, and how many equal rows it is. */
  #number = 0;
  #repeated = 1;
  #column = 0;
  #cell: XmlElement['attributes'] = new Map();
  #text = '';
  #paragraphs = 0;

  constructor(input: Input) {
    this.#input = input;
    this.#cells = new CellCollector(input);
  }

  open({ name, attributes }: XmlElement): void {
    this.#depth++;
    if (this.#skippedFrom > 0) return;
    if (SKIPPED.has(name)) this.#skippedFrom = this.#depth;
    else if (name === 'style:style') this.#style = attributes.get('style:name') ?? '';
    else if (name === 'style:table-properties' && attributes.get('table:display') === 'false')
      this.#hiddenStyles.add(this.#style);
    else if (name === 'table:table') this.#openSheet(attributes);
    else if (name === 'table:table-row') {
      this.#column = 0;
      this.#number += this.#repeated;
      this.#repeated = repetition(attributes.get('table:number-rows-repeated'));
    } else if (name === 'table:table-cell' || name === 'table:covered-table-cell') {
      this.#cell = attributes;
      this.#text = '';
    } else if (name === 'text:p') {
      this.#paragraphs++;
      this.#text += ' ';
    } else if (name === 'text:s' || name === 'text:tab' || name === 'text:line-break') this.#text += ' ';
  }

  text(value: string): void {
    if (this.#skippedFrom === 0 && this.#paragraphs > 0) this.#text += value;
  }

  close(name: string): void {
    const depth = this.#depth--;
    if (this.#skippedFrom > 0) {
      if (this.#skippedFrom === depth) this.#skippedFrom = 0;
    } else if (name === 'text:p') this.#paragraphs--;
    else if (name === 'table:table-cell' || name === 'table:covered-table-cell') this.#closeCell();
    else if (name === 'table:table-row') {
      const cells = this.#cells.take();
      if (cells.length > 0) this.rows.push({ sheet: this.#sheet, number: this.#number, cells });
    }
  }

  #openSheet(attributes: XmlElement['attributes']): void {
    this.#sheet = attributes.get('table:name') ?? '';
    this.#number = 0;
    this.#repeated = 1;
    if (!this.#hiddenStyles.has(attributes.get('table:style-name') ?? '')) return;
    this.#skippedFrom = this.#depth;
    const place = `${this.#input.path} (${this.#sheet})`;
    this.#input.report({ kind: 'skipped', place, reason: 'hidden sheet' });
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

function repetition(declared = '1'): number {
  const count = Number(declared);
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}
