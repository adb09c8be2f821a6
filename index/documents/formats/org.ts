import type { Reader } from '../input.ts';
import { readOrg } from '../markup/org.ts';
import { withText } from '../markup/required.ts';

export const read: Reader = async function* (input) {
  yield withText(readOrg(await input.text(), input.source, input.path), input);
};
