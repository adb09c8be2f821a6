import { columns } from '../documents/script.ts';
import { segmenter } from './detect-language.ts';

/** Letters and digits, in columns. Shorter sentences are mostly abbreviations or numbers. */
const MIN_LENGTH = 12;

/**
 * An abbreviation that never ends a sentence: an initial, a title, the word before a number. `z. B.` and `U. S.` are initials.
 */
const ABBREVIATION = new RegExp(
  `(?:^|[^\\p{L}\\p{M}\\p{N}°])(?:\\p{L}|${[
    'Mr|Mrs|Ms|Dr|Prof|St|Mt|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|No|Nos|Vol|Fig|Figs|Eq|Ch|Sec|pp|vs|cf|ca|approx|e\\.g|i\\.e',
    'Hr|Fr|Nr|Abb|Abs|Art|Bd|bzw|evtl|ggf|inkl|sog|vgl|geb|Mme|Mlle|MM|Sr|Sra|Srta|Dra|Ud|Uds|núm|pág|Av|Ing|Lic',
    'г|гг|им|ул|стр|см|рис|тов|проф|акад|св|т\\.е|т\\.д|د|डॉ|श्री|पं',
  ].join('|')})\\.["')\\]]*$`,
  'u',
);

/** UTF-16 code units segmented at once: several sentences. */
const WINDOW = 2000;

/** Languages that write ordinal numbers, and so dates, with a full stop. */
const ORDINAL_DOT = /^(?:de|da|nb|nn|no|fi|is|et|lv|cs|sk|sl|hr|bs|sr|hu|tr|eu|gsw|lb)(?:-|$)/;
const ORDINAL = /(?:^|[^\p{L}\p{N}\p{Pd}.,])\d{1,2}\.$/u;

type Span = [start: number, end: number];

/**
 * Splits a text into sentences, as `[start, end)` in UTF-16 code units, without white space at either end. Together they contain
 * everything else. The end of a line ends a sentence. Sentences of Intl.Segmenter (Unicode Standard Annex 29) are joined if they end
 * after an abbreviation or before a lower-case letter, or are too short.
 */
export function sentences(text: string, lang: string): Span[] {
  const ordinals = ORDINAL_DOT.test(lang);
  return segmentLines(text, lang).flatMap((line) => {
    const whole = merge(line, (before, after) =>
      continues(text.slice(...before), text.slice(...after), ordinals),
    );
    return merge(
      whole,
      (before, after) => isTooShort(text.slice(...before)) || isTooShort(text.slice(...after)),
    );
  });
}

/** The segmenter's sentences, trimmed, for each line that is not blank. */
function segmentLines(text: string, lang: string): Span[][] {
  const lines: Span[][] = [];
  let isNewLine = true;
  for (const { segment, index } of segments(text, segmenter(lang, 'sentence'))) {
    const trimmed = segment.trim();
    if (trimmed !== '') {
      if (isNewLine) lines.push([]);
      isNewLine = false;
      const start = index + segment.indexOf(trimmed);
      lines.at(-1)!.push([start, start + trimmed.length]);
    }
    isNewLine ||= /[\n\r\u2028\u2029]\s*$/.test(segment);
  }
  return lines;
}

/**
 * Segments a text window by window, since each step of Intl.Segmenter takes time in proportion to the whole string. The last segment
 * of a window may be cut off, so the next window begins with it. A segment that fills its window is tried in a larger one.
 */
function* segments(text: string, by: Intl.Segmenter): Generator<{ segment: string; index: number }> {
  let start = 0;
  let size = WINDOW;
  while (start < text.length) {
    const window = text.slice(start, start + size);
    const isLast = start + size >= text.length;
    // Iterating over a large window would be slow; only its first segment is needed.
    const found = size === WINDOW ? [...by.segment(window)] : [by.segment(window).containing(0)!];
    const whole = found.filter(({ index, segment }) => isLast || index + segment.length < window.length);
    for (const { segment, index } of whole) yield { segment, index: start + index };
    const last = whole.at(-1);
    start += last ? last.index + last.segment.length : 0;
    size = last ? WINDOW : size * 2;
  }
}

/** Joins adjacent spans that belong together. */
function merge(spans: Span[], belongTogether: (before: Span, after: Span) => boolean): Span[] {
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last && belongTogether(last, span)) last[1] = span[1];
    else merged.push([...span]);
  }
  return merged;
}

function continues(before: string, after: string, ordinals: boolean): boolean {
  const end = before.slice(-20);
  return /^["'\p{Ps}\p{Pi}]*\p{Ll}/u.test(after) || ABBREVIATION.test(end) || (ordinals && ORDINAL.test(end));
}

function isTooShort(piece: string): boolean {
  return piece.length < 4 * MIN_LENGTH && columns(piece.match(/[\p{L}\p{N}]/gu)?.join('') ?? '') < MIN_LENGTH;
}
