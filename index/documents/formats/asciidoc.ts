import type { Reader } from '../input.ts';
import { readAsciidoc } from '../markup/asciidoc.ts';

export const read: Reader = async function* (input) {
  yield await readAsciidoc(await input.text(), input.source, input.path);
};
