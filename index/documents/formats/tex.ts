import type { Reader } from '../input.ts';
import { readTex } from '../markup/tex.ts';

export const read: Reader = async function* (input) {
  yield readTex(await input.text(), input.source, input.path);
};
