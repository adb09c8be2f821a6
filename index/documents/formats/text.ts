import type { Reader } from '../input.ts';
import { readTextParts } from '../plain/text.ts';

export const read: Reader = async function* (input) {
  let isEmpty = true;
  for await (const document of readTextParts(input.chunks(), input.source, input.options.plain === true)) {
    isEmpty = false;
    yield document;
  }
  if (isEmpty) throw input.failure('no text', 'Write text into it, or exclude it.');
};
