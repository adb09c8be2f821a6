import type { Reader } from '../input.ts';
import { readTextParts } from '../plain/text.ts';

export const read: Reader = (input) =>
  readTextParts(input.chunks(), input.source, input.options.plain === true);
