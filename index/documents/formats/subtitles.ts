import type { Reader } from '../input.ts';
import { withText } from '../markup/required.ts';
import { readSubtitles } from '../markup/subtitles.ts';

export const read: Reader = async function* (input) {
  yield withText(readSubtitles(await input.text(), input.source), input);
};
