import type { Reader } from '../input.ts';
import { calcRows } from '../office/calc.ts';
import { sheetDocuments } from '../office/sheets.ts';

export const read: Reader = (input) => sheetDocuments(calcRows(input), input);
