import type { Reader } from '../input.ts';
import { readText } from '../plain/text.ts';

export const read: Reader = async function* (input) {
  yield readText(await input.text(), input.source);
};
