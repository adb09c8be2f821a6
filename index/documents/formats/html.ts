import { declaredCharset } from '../html/charset.ts';
import { readHtml } from '../html/page.ts';
import type { Reader } from '../input.ts';

export const read: Reader = async function* (input) {
  yield readHtml(await input.text(declaredCharset), input.source, input.path);
};
