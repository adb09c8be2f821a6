import type { Reader } from '../input.ts';
import { readOpenDocument } from '../office/open-document.ts';

export const read: Reader = async function* (input) {
  yield await readOpenDocument(input, '.odt');
};
