import { columns } from '../documents/script.ts';
import { segments } from '../text/segmenter.ts';

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
  for (const { segment, index } of segments(text, 'sentence', lang)) {
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
