import type { Reader } from '../input.ts';
import { readPowerPoint } from '../office/powerpoint.ts';

export const read: Reader = async function* (input) {
  yield await readPowerPoint(input);
};
