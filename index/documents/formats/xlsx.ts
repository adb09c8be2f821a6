import type { Reader } from '../input.ts';
import { excelRows } from '../office/excel.ts';
import { sheetDocuments } from '../office/sheets.ts';

export const read: Reader = (input) => sheetDocuments(excelRows(input), input);
