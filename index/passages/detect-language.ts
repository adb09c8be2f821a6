import { eld } from 'eld/extrasmall';
import { columns } from '../documents/plain/script.ts';

/** Letters, in columns. With this many the detector is right in nine of ten cases, with half as many in seven. */
const ENOUGH_LETTERS = 20;

/** The ISO 639-1 code of a text's language, or undefined if the text is too short or the result unreliable. */
export function detectLanguage(text: string): string | undefined {
  // The detector only knows composed letters.
  const beginning = text.slice(0, 1000).normalize('NFC');
  if (columns(beginning.match(/\p{L}/gu)?.join('') ?? '') < ENOUGH_LETTERS) return undefined;
  const result = eld.detect(beginning);
  return result.isReliable() ? result.language : undefined;
}
