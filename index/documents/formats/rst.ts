import type { Reader } from '../input.ts';
import { readRst } from '../markup/rst.ts';

export const read: Reader = async function* (input) {
  yield readRst(await input.text(), input.source, input.path);
};
