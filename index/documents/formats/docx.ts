import type { Reader } from '../input.ts';
import { readWord } from '../office/word.ts';

export const read: Reader = async function* (input) {
  yield await readWord(input);
};
