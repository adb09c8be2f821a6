import type { Reader } from '../input.ts';
import { readRecords } from '../records/records.ts';

export const read: Reader = readRecords;
