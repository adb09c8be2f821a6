import type { Reader } from '../input.ts';
import { readAsciidoc } from '../markup/asciidoc/reader.ts';
import { withText } from '../markup/required.ts';

export const read: Reader = async function* (input) {
  yield withText(readAsciidoc(await input.text(), input.source, input.path), input);
};
