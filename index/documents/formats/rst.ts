import type { Reader } from '../input.ts';
import { readRst } from '../markup/rst/reader.ts';

export const read: Reader = async function* (input) {
  yield readRst(await input.text(), input.source, input.path);
};
