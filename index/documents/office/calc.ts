import type { Input, Reader } from '../input.ts';
import { MAX_SPREADSHEET_BYTES } from './office-package.ts';
import { parseXml, type XmlElement, type XmlHandler } from './office-xml.ts';
import { openOpenDocument } from './open-document.ts';
import { cellCollector, MAX_COLUMNS, type SheetRow, sheetDocuments } from './sheets.ts';

/** Subtrees whose text is not that of cells. */
const SKIPPED = new Set(['office:annotation', 'table:shapes', 'table:tracked-changes', 'office:forms']);

const CELLS = new Set(['table:table-cell', 'table:covered-table-cell']);

/** Reads an OpenDocument spreadsheet. */
export const readCalc: Reader = (input) => sheetDocuments(calcRows(input), input);

/**
 * Streams the rows of an OpenDocument spreadsheet, sheet by sheet: text as shown, dates as ISO dates. Equal rows that the file stores
 * once are read once. Reports hidden sheets and skips them. Comments, drawings and empty rows are left out.
 */
async function* calcRows(input: Input): AsyncGenerator<SheetRow> {
  const zip = await openOpenDocument(input, '.ods', MAX_SPREADSHEET_BYTES);
  const rows: SheetRow[] = [];
  for await (const _ of parseXml(zip.stream('content.xml'), input, tableReader(input, rows)))
    yield* rows.splice(0);
}

/** Collects the rows of all sheets in `rows`. */
function tableReader(input: Input, rows: SheetRow[]): XmlHandler {
  const row = cellCollector(input);
  const hiddenStyles = new Set<string>();
  let style = '';
  let sheet = '';
  /** Number of the open row, and how many equal rows it is. */
  let [number, repeated] = [0, 1];
  let column = 0;
  let cell: XmlElement['attributes'] = new Map();
  let text = '';
  return {
    open({ name, attributes }) {
      if (SKIPPED.has(name)) return name;
      if (name === 'style:style') style = attributes.get('style:name') ?? '';
      else if (name === 'style:table-properties' && attributes.get('table:display') === 'false')
        hiddenStyles.add(style);
      else if (name === 'table:table') {
        sheet = attributes.get('table:name') ?? '';
        [number, repeated] = [0, 1];
        if (!hiddenStyles.has(attributes.get('table:style-name') ?? '')) return undefined;
        input.report({ kind: 'skipped', place: `${input.path} (${sheet})`, reason: 'hidden sheet' });
        return name;
      } else if (name === 'table:table-row') {
        column = 0;
        number += repeated;
        repeated = repetition(attributes.get('table:number-rows-repeated'));
      } else if (CELLS.has(name)) [cell, text] = [attributes, ''];
      else if (/^text:(?:p|s|tab|line-break)$/.test(name)) text += ' ';
      return undefined;
    },
    text(value) {
      text += value;
    },
    close(name) {
      if (CELLS.has(name)) {
        const date = cell.get('office:date-value')?.replace(/T00:00:00.*$/, '');
        const shown = date?.replace('T', ' ') ?? text;
        const count = repetition(cell.get('table:number-columns-repeated'));
        if (shown.trim() !== '')
          for (let i = 0; i < Math.min(count, MAX_COLUMNS); i++) row.set(column + i, shown);
        column += count;
      } else if (name === 'table:table-row') {
        const cells = row.take();
        if (cells.length > 0) rows.push({ sheet, number, cells });
      }
    },
  };
}

function repetition(declared = '1'): number {
  const count = Number(declared);
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}
