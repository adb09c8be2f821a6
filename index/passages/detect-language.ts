import { eld } from 'eld/extrasmall';
import { columns } from '../documents/script.ts';

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

const segmenters = new Map<string, Intl.Segmenter>();

/** An Intl.Segmenter for a language, cached, since creating one is slow. Unknown and malformed tags use English rules. */
export function segmenter(lang: string, granularity: 'sentence' | 'word' | 'grapheme'): Intl.Segmenter {
  const key = `${granularity} ${lang}`;
  let known = segmenters.get(key);
  if (!known) {
    // Without this fallback, an unknown language would use the rules of the machine's locale.
    known = new Intl.Segmenter([...locales(lang), 'en'], { granularity });
    segmenters.set(key, known);
  }
  return known;
}

function locales(lang: string): string[] {
  try {
    return Intl.getCanonicalLocales(lang);
  } catch {
    return [];
  }
}
