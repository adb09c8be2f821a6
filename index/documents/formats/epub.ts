import type { Reader } from '../input.ts';
import { readEpub } from '../office/epub.ts';

export const read: Reader = async function* (input) {
  yield await readEpub(input);
};
