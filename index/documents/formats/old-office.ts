import type { Reader } from '../input.ts';
import { oldFormat } from '../office/package.ts';

const SUCCESSORS: Record<string, string> = {
  xls: '.xlsx',
  xlt: '.xlsx',
  xlsb: '.xlsx',
  ppt: '.pptx',
  pps: '.pptx',
};

/** Rejects the formats of Office programs before 2007. */
// biome-ignore lint/correctness/useYield: no file has documents
export const read: Reader = async function* (input) {
  const extension = input.path.slice(input.path.lastIndexOf('.') + 1).toLowerCase();
  throw oldFormat(input, SUCCESSORS[extension] ?? '.docx');
};
