import type { Reader } from '../input.ts';
import { withText } from '../markup/required.ts';
import { readRst } from '../markup/rst/reader.ts';

export const read: Reader = async function* (input) {
  yield withText(readRst(await input.text(), input.source, input.path), input);
};
