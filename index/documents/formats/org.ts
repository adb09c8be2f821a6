import type { Reader } from '../input.ts';
import { readOrg } from '../markup/org.ts';

export const read: Reader = async function* (input) {
  yield readOrg(await input.text(), input.source, input.path);
};
