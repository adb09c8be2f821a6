import type { Reader } from '../input.ts';
import { readAsciidoc } from '../markup/asciidoc/reader.ts';

export const read: Reader = async function* (input) {
  yield readAsciidoc(await input.text(), input.source, input.path);
};
