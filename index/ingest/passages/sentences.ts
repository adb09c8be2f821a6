import { columns } from '../../documents/plain/script.ts';
import { segments } from '../../text/segmenter.ts';

/** Letters and digits, in columns. Shorter sentences are mostly abbreviations or numbers. */
const MIN_LENGTH = 12;

/** The same for clauses: shorter ones are mostly items of a list. Thai and Lao have only clauses, and U+104A ends one in Burmese. */
const MIN_CLAUSE = 20;
const CLAUSE = /[\p{Script=Thai}\p{Script=Lao}]|\u104A$/u;

/**
 * White space that ends a clause in Thai or Lao, which rarely use a full stop. Spaces also surround digits, Latin words, the signs of
 * repetition (ๆ, ໆ) and abbreviation (ฯ, ຯ), and in Lao "and" and "or". Those end no clause.
 */
const CLAUSE_LETTER = '(?![\\p{N}\u0E2F\u0E46\u0EAF\u0EC6])[\\p{Script=Thai}\\p{Script=Lao}]';
const LAO_CONJUNCTION = 'ແລະ|ຫຼື|ຫລື';
const CLAUSE_SPACE = new RegExp(
  `(?<=${CLAUSE_LETTER})(?<!${LAO_CONJUNCTION})\\s+(?=\\p{L})(?=${CLAUSE_LETTER})(?!${LAO_CONJUNCTION})`,
  'gu',
);

/**
 * An abbreviation that never ends a sentence: an initial, a title, the word before a number. `z. B.` and `U. S.` are initials.
 */
const ABBREVIATION = new RegExp(
  `(?:^|[^\\p{L}\\p{M}\\p{N}°])(?:\\p{L}|${[
    'Mr|Mrs|Ms|Dr|Prof|St|Mt|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|No|Nos|Vol|Fig|Figs|Eq|Ch|Sec|pp|vs|cf|ca|approx|e\\.g|i\\.e',
    'Hr|Fr|Nr|Abb|Abs|Art|Bd|bzw|evtl|ggf|inkl|sog|vgl|geb|Mme|Mlle|MM|Sr|Sra|Srta|Dra|Ud|Uds|núm|pág|Av|Ing|Lic',
    'г|гг|им|ул|стр|см|рис|тов|проф|акад|св|т\\.е|т\\.д|د|डॉ|श्री|पं|ดร|รศ|ผศ|นพ|พญ|รพ|บจก|บมจ|หจก|โทร|กก|กม|ซม|มม',
  ].join('|')})\\.["')\\]]*$`,
  'u',
);

/** Languages that write ordinal numbers, and so dates, with a full stop. */
const ORDINAL_DOT = /^(?:de|da|nb|nn|no|fi|is|et|lv|cs|sk|sl|hr|bs|sr|hu|tr|eu|gsw|lb)(?:-|$)/;
const ORDINAL = /(?:^|[^\p{L}\p{N}\p{Pd}.,])\d{1,2}\.$/u;

export type Span = [start: number, end: number];

/**
 * Splits a text into sentences, as `[start, end)` in UTF-16 code units, without white space at either end. Together they contain
 * everything else. The end of a line ends a sentence. Sentences of Intl.Segmenter (Unicode Standard Annex 29) are joined if they end
 * after an abbreviation or before a lower-case letter, or are too short. In Thai and Lao, a sentence is one clause or several short ones.
 */
export function sentences(text: string, lang: string): Span[] {
  const ordinals = ORDINAL_DOT.test(lang);
  return segmentLines(text, lang).flatMap((line) => {
    const whole = merge(line, (before, after) =>
      continues(text.slice(...before), text.slice(...after), ordinals),
    );
    return joinShort(
      whole.flatMap((span) => clauses(text, span)),
      text,
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
    isNewLine ||= /[\n\r\u2028\u2029]/.test(segment.slice(segment.trimEnd().length));
  }
  return lines;
}

/** Divides a sentence after clauses that end in white space. */
function clauses(text: string, [start, end]: Span): Span[] {
  const gaps = [...text.slice(start, end).matchAll(CLAUSE_SPACE)];
  return [...gaps, undefined].map((gap, i): Span => {
    const before = gaps[i - 1];
    return [start + (before ? before.index + before[0].length : 0), gap ? start + gap.index : end];
  });
}

/** Joins sentences that are too short to the one before; clauses to the one after, so that a list does not grow without limit. */
function joinShort(spans: Span[], text: string): Span[] {
  const short = (span: Span) => isTooShort(text.slice(...span));
  const isClause = (span: Span) => CLAUSE.test(text.slice(...span));
  const joined = merge(spans, (before, after) => short(before) || (short(after) && !isClause(after)));
  const last = joined.at(-1);
  return last && short(last) ? merge(joined, (_, after) => after[1] === last[1]) : joined;
}

/** Joins neighbours that belong together. */
export function merge(spans: Span[], belongTogether: (before: Span, after: Span) => boolean): Span[] {
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
  // Joined sentences may be long, and are asked for again and again.
  if (piece.length >= 4 * MIN_CLAUSE) return false;
  const min = CLAUSE.test(piece) ? MIN_CLAUSE : MIN_LENGTH;
  return piece.length < 4 * min && columns(piece.match(/[\p{L}\p{N}]/gu)?.join('') ?? '') < min;
}
