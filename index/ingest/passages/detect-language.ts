import { eld } from 'eld/extrasmall';
import type { Block } from '../../documents/document.ts';
import { columns } from '../../documents/plain/script.ts';

/** Letters, in columns. With this many the detector is right in nine of ten cases, with half as many in seven. */
const ENOUGH_LETTERS = 20;
/** Rows of Latin letters need as many: names and words of a shop look like Dutch or Tagalog. */
const SURE_LETTERS = 40;
/** Letters from which a text may contradict its declared language. */
const LETTERS_OF_TEXT = 200;
/** By how much the score of the detected language exceeds that of the declared one. Danish and Norwegian differ by 0.05. */
const CLEARLY = 0.15;
const SAMPLE = 1000;

const KNOWN = new Set(Object.values(eld.info().Languages));

/** The ISO 639-1 code of a text's language, or undefined if the text is too short or the result unreliable. */
export function detectLanguage(text: string): { lang: string; isSure: boolean } | undefined {
  // The detector only knows composed letters.
  const beginning = text.slice(0, SAMPLE).normalize('NFC');
  const letters = lettersIn(beginning);
  if (letters < ENOUGH_LETTERS) return undefined;
  const result = eld.detect(beginning);
  const isSure = letters >= SURE_LETTERS || !/\p{Script=Latin}/u.test(beginning);
  return result.isReliable() ? { lang: result.language, isSure } : undefined;
}

/** A language tag (BCP 47), as far as it matters here. DocBook may declare an entity that only its tools resolve. */
const TAG = /^[a-z]{2,8}(?:[-_][a-z0-9]{1,8})*$/i;

/** The declared language, or undefined if it is no tag, or if the text is clearly in another one: programs declare that of their user. */
export function fittingLanguage(declared: string | undefined, blocks: readonly Block[]): string | undefined {
  const primary = declared
    ?.toLowerCase()
    .split(/[-_]/)[0]
    ?.replace(/^n[bn]$/, 'no');
  if (!declared || !primary || !TAG.test(declared)) return undefined;
  if (!KNOWN.has(primary)) return declared;
  let text = '';
  for (const block of blocks) {
    if (block.kind === 'paragraph') text += `${block.text.slice(0, SAMPLE)}\n`;
    if (text.length > SAMPLE) break;
  }
  const sample = text.normalize('NFC');
  if (lettersIn(sample) < LETTERS_OF_TEXT) return declared;
  const result = eld.detect(sample);
  const scores = result.getScores();
  const excess = (scores[result.language] ?? 0) - (scores[primary] ?? 0);
  return result.isReliable() && excess > CLEARLY ? undefined : declared;
}

function lettersIn(text: string): number {
  return columns(text.match(/\p{L}/gu)?.join('') ?? '');
}
