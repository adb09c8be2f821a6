import type { Reader } from '../input.ts';
import { readMarkdown } from '../markdown/markdown.ts';
import { withText } from '../markup/required.ts';

export const read: Reader = async function* (input) {
  yield withText(readMarkdown(await input.text(), input.source, input.path), input);
};
