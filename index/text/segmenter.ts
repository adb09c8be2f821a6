/** UTF-16 code units per window. Each step of `Intl.Segmenter` takes time proportional to its whole string. */
const WINDOW = 2048;

export type Granularity = 'grapheme' | 'word' | 'sentence';

/** A part of a text, as `Intl.Segmenter` returns it. */
interface Segment {
  segment: string;
  /** Offset in the text in UTF-16 code units. */
  index: number;
  /** For words: whether it contains letters or digits, rather than spaces or punctuation. */
  isWordLike?: boolean;
}

/**
 * Returns the segments of `Intl.Segmenter` for a text, in linear time. Words may differ in scripts without spaces, such as Thai or
 * Chinese: ICU chooses words by all characters up to the next space, but here it sees only one window.
 * @param locale BCP 47 tag. Unknown or malformed tags use English rules
 */
export function* segments(text: string, granularity: Granularity, locale = 'und'): Generator<Segment> {
  const segmenter = segmenterOf(locale, granularity);
  let size = WINDOW;
  for (let start = 0; start < text.length; ) {
    const isInPair = (text.codePointAt(start + size - 1) ?? 0) > 0xffff;
    const window = text.slice(start, start + size + (isInPair ? 1 : 0));
    const found: Segment[] = [];
    for (const { segment, index, isWordLike } of segmenter.segment(window)) {
      found.push({ segment, index: start + index, isWordLike });
      // Stepping through a large window would take quadratic time.
      if (size > WINDOW && found.length === 3) break;
    }
    // The end of a segment depends on the text up to the end of the next one, which the window may cut.
    const whole = endOf(found) === text.length ? found : found.slice(0, -2);
    yield* whole;
    start = whole.length > 0 ? endOf(whole) : start;
    size = whole.length > 0 ? WINDOW : size * 2;
  }
}

function endOf(found: readonly Segment[]): number {
  const last = found.at(-1)!;
  return last.index + last.segment.length;
}

const segmenters = new Map<string, Intl.Segmenter>();

/** Segmenters are cached: creating one takes 12 ms. */
function segmenterOf(locale: string, granularity: Granularity): Intl.Segmenter {
  const key = `${granularity} ${locale}`;
  let segmenter = segmenters.get(key);
  if (!segmenter) {
    // Without a second choice, an unknown locale would get the rules of the machine's locale.
    segmenter = new Intl.Segmenter([...canonical(locale), 'en'], { granularity });
    segmenters.set(key, segmenter);
  }
  return segmenter;
}

function canonical(locale: string): string[] {
  try {
    return Intl.getCanonicalLocales(locale);
  } catch {
    return [];
  }
}
