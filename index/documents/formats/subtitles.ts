import type { Reader } from '../input.ts';
import { readSubtitles } from '../markup/subtitles.ts';

export const read: Reader = async function* (input) {
  yield readSubtitles(await input.text(), input.source);
};
