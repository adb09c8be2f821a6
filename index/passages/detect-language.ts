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

const segmenters = new Map<string, Intl.Segmenter>();

/**
 * Intl.Segmenter for a language; kept, as one takes long to make. A tag that is unknown or malformed gets English
 * rules.
 */
export function segmenter(lang: string, granularity: 'sentence' | 'word' | 'grapheme'): Intl.Segmenter {
  const key = `${granularity} ${lang}`;
  let known = segmenters.get(key);
  if (!known) {
    // Without the second choice an unknown language would get the rules of the machine's locale.
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
