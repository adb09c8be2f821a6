import type { Reader } from '../input.ts';
import { readMdx } from '../markdown/mdx.ts';

export const read: Reader = async function* (input) {
  yield readMdx(await input.text(), input.source, input.path);
};
