import { eld } from 'eld/extrasmall';
import { columns } from '../documents/script.ts';

/** Columns of letters. With so few the detector is right nine times out of ten, with half of them seven times. */
const ENOUGH_LETTERS = 20;

/** The ISO 639-1 code of the language that a text is in, or undefined where that cannot be told. */
export function detectLanguage(text: string): string | undefined {
  // The detector knows composed letters alone.
  const beginning = text.slice(0, 1000).normalize('NFC');
  if (columns(beginning.match(/\p{L}/gu)?.join('') ?? '') < ENOUGH_LETTERS) return undefined;
  const result = eld.detect(beginning);
  return result.isReliable() ? result.language : undefined;
}
