import type { Reader } from '../input.ts';
import { withText } from '../markup/required.ts';
import { readTex } from '../markup/tex/reader.ts';

export const read: Reader = async function* (input) {
  yield withText(readTex(await input.text(), input.source, input.path), input);
};
