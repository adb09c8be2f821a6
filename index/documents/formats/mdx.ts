import type { Reader } from '../input.ts';
import { readMdx } from '../markdown/mdx.ts';
import { withText } from '../markup/required.ts';

export const read: Reader = async function* (input) {
  yield withText(readMdx(await input.text(), input.source, input.path), input);
};
