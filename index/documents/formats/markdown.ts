import type { Reader } from '../input.ts';
import { readMarkdown } from '../markdown/markdown.ts';

export const read: Reader = async function* (input) {
  yield readMarkdown(await input.text(), input.source, input.path);
};
