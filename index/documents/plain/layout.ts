import type { Block } from '../document.ts';
import {
  beginsInLowerCase,
  beginsWithClosingMark,
  cutsWord,
  endsInComma,
  endsInSemicolon,
  leavesOpen,
} from './cut.ts';
import { itemMarker } from './paragraphs.ts';
import { columns, isClosed, joint } from './script.ts';

/** The longest headline, in columns. */
const MAX_HEADLINE = 100;
/** The longest photo caption, in columns. */
const MAX_CAPTION = 200;
/** In columns. Two blocks this short may be lines of verse or a list rather than halves of a sentence. */
const SHORT = 60;
/** This many short blocks in a row are a list or verse rather than headlines. */
const LIST = 4;
/** Blocks between the halves of a paragraph, such as a caption and its credit. */
const MAX_BETWEEN = 2;

/**
 * `closed` ends like a sentence; `open` is prose that does not; `short` does not either, and is a headline unless it is joined;
 * `byline` names an author; `apart` is not prose: a list, verse, an address.
 */
type Kind = 'closed' | 'open' | 'short' | 'byline' | 'apart';

interface Piece {
  kind: Kind;
  text: string;
  /** The first and last of the original pieces. Their ends show whether a paragraph was split. */
  head: string;
  tail: string;
  /** Whether it was one of many short paragraphs in a row. */
  inRow: boolean;
  /** Whether it was between two halves. */
  displaced: boolean;
}

/**
 * Rejoins paragraphs that were split by columns or page breaks, and recognizes headlines and bylines. A block between two halves is
 * moved after them. No character is lost.
 *
 * A paragraph that does not end like a sentence is joined with
 * - the next one, or the one after a headline, byline or caption, if the cut splits a word, or if that one begins with a lower-case
 *   letter or a closing mark;
 * - the next one, or the one after a headline or byline, if it ends with a comma or inside brackets;
 * - the next one, if it is too long for a headline or begins with a whole sentence, and most paragraphs end with a mark.
 *
 * A short paragraph that is not joined is a headline.
 */
export function rejoin(paragraphs: string[]): Block[] {
  const inRow = inRowsOf(
    LIST,
    paragraphs.map((text) => isAtMost(SHORT, text)),
  );
  const pieces = paragraphs.map((text, i): Piece => {
    const listed = [paragraphs[i - 1], paragraphs[i + 1]].some((other) => isSameList(text, other));
    return { kind: kindOf(text, listed), text, head: text, tail: text, inRow: inRow[i]!, displaced: false };
  });
  const count = (kind: Kind) => pieces.filter((piece) => piece.kind === kind).length;
  // If paragraphs rarely end with a mark (Thai, logs), a missing mark is no evidence.
  const marked = count('open') <= 2 * count('closed');
  const joined: Piece[] = [];
  // The next piece is at the end.
  const pending = pieces.reverse();
  for (let piece = pending.pop(); piece !== undefined; piece = pending.pop()) {
    const next = pending.slice(-MAX_BETWEEN - 1).reverse();
    const at = otherHalf(piece, next, marked);
    if (at === undefined) {
      joined.push(piece);
      continue;
    }
    pending.length -= at + 1;
    for (const between of next.slice(0, at).reverse()) pending.push({ ...between, displaced: true });
    pending.push(join(piece, next[at]!));
    // The previous piece may match the whole, although it did not match the half.
    const before = joined.pop();
    if (before) pending.push(before);
  }
  return toBlocks(joined);
}

/** Turns headlines into headings: level 1 at the start of the text, which is its title, level 2 elsewhere. */
function toBlocks(pieces: Piece[]): Block[] {
  const headlines = areHeadlines(pieces);
  let paragraphs = 0;
  return pieces.map((piece, i): Block => {
    if (headlines[i]) {
      paragraphs = 0;
      return { kind: 'heading', level: i === 0 ? 1 : 2, text: piece.text };
    }
    paragraphs++;
    const ends = piece.kind === 'byline' && !piece.displaced && pieces[i + 1]?.kind !== 'byline';
    // After a headline, or a headline and a standfirst, a byline begins its article. Later, it ends it.
    if (!ends || paragraphs < (hasByPrefix(piece.text) ? 3 : 2))
      return { kind: 'paragraph', text: piece.text };
    paragraphs = 0;
    return { kind: 'paragraph', text: piece.text, endsSection: true };
  });
}

/** A headline has text below it. Of many short pieces in a row, only the first and the last may be headlines. */
function areHeadlines(pieces: Piece[]): boolean[] {
  const listed = inRowsOf(
    LIST,
    pieces.map((piece) => piece.kind === 'short'),
  );
  return pieces.map((piece, i) => {
    const next = pieces[i + 1];
    return piece.kind === 'short' && next !== undefined && (!listed[i] || i === 0 || next.kind !== 'short');
  });
}

/** For each flag, whether it is part of a run of at least `length` set flags. */
function inRowsOf(length: number, flags: boolean[]): boolean[] {
  const inRow = flags.map(() => false);
  let start = 0;
  for (let end = 0; end <= flags.length; end++) {
    if (flags[end]) continue;
    if (end - start >= length) inRow.fill(true, start, end);
    start = end + 1;
  }
  return inRow;
}

function kindOf(text: string, listed: boolean): Kind {
  if (text.includes('\n')) return 'apart';
  const isHeadlineLong = isAtMost(MAX_HEADLINE, text);
  if (isHeadlineLong && !listed && isByline(text)) return 'byline';
  if (isClosed(text)) return 'closed';
  if (!isHeadlineLong || containsSentence(text) || endsInComma(text)) return 'open';
  const marker = itemMarker(text);
  return listed || (marker !== undefined && !marker.includes('0')) ? 'apart' : 'short';
}

function join(half: Piece, other: Piece): Piece {
  return {
    kind: isClosed(other.tail) ? 'closed' : 'open',
    text: half.text + joint(half.tail, other.head) + other.text,
    head: half.head,
    tail: other.tail,
    inRow: false,
    displaced: half.displaced,
  };
}

/** The index of the piece among the next ones that continues this one, if it was cut. */
function otherHalf(half: Piece, next: Piece[], marked: boolean): number | undefined {
  if (half.kind !== 'open' && half.kind !== 'short') return undefined;
  const mustContinue = endsInComma(half.tail) || leavesOpen(half.tail);
  let isLikeliest = true;
  for (const [i, other] of next.entries()) {
    const mayBeOther =
      other.kind !== 'byline' && other.kind !== 'apart' && itemMarker(other.head) === undefined;
    if (mayBeOther && (cutsWord(half.tail, other.head) || (isLikeliest && beginsMidSentence(half, other))))
      return i;
    if (!mayBeBetween(other)) break;
    isLikeliest &&= half.kind === 'open' || mustContinue || isLikelierHalf(half, other);
  }
  if (mustContinue) {
    const isBetween =
      (next[0]?.kind === 'byline' || next[0]?.kind === 'short') && !endsInSemicolon(half.tail);
    const after = isBetween ? 1 : 0;
    return isProse(next[after]) && !isVerse(half, next[after]) ? after : undefined;
  }
  return half.kind === 'open' && marked && isProse(next[0]) ? 0 : undefined;
}

/** Of two short pieces before another half, one is its first half and one a headline. Headlines rarely end in `of the`. */
function isLikelierHalf(half: Piece, other: Piece): boolean {
  if (other.kind !== 'short') return true;
  const [cut, otherCut] = [half, other].map((piece) => /[^\p{L}]\p{Ll}{1,3}$/u.test(piece.tail));
  return cut === otherCut ? columns(half.text) > columns(other.text) : cut === true;
}

/** Whether a piece begins in mid-sentence. Of two short pieces, the second must end the sentence. */
function beginsMidSentence(half: Piece, other: Piece): boolean {
  if (beginsWithClosingMark(other.head)) return true;
  return beginsInLowerCase(other.head) && (other.kind === 'closed' || !(isShort(half) && isShort(other)));
}

/** Whether a text contains a whole sentence and more. Ignores abbreviations, which are short, and `?` and `!`, which headlines have. */
function containsSentence(text: string): boolean {
  return /[。।۔]./u.test(text) || /[\p{L}\p{M}]{4}\.["'\p{Pf}\p{Pe}]*\s+["'\p{Pi}\p{Ps}]*\p{Lu}/u.test(text);
}

/** `■记者 …`, `记者：…`, `By Jane Doe`, `Von Anna Schmidt`. */
function isByline(text: string): boolean {
  if (/^[■●◆▲]/u.test(text)) return !isClosed(text);
  if (/^[（(]?(?:本报|本刊|新华社)?(?:见习|特约)?(?:记者|通讯员)[\s:：/]/u.test(text)) return !isClosed(text);
  return hasByPrefix(text) && isAtMost(SHORT, text);
}

/** In English and similar languages, a byline is above the article, so it does not end an article. */
function hasByPrefix(text: string): boolean {
  return /^(?:By|BY|Von|Par|Por)(?:\s+(?:\p{Lu}[\p{L}\p{M}.'’-]*,?|and|und|et|y|e|&|de|da|di|van|von|der))+$/u.test(
    text,
  );
}

function isSameList(text: string, other: string | undefined): boolean {
  const marker = itemMarker(text);
  return marker !== undefined && other !== undefined && itemMarker(other) === marker;
}

function isProse(piece: Piece | undefined): piece is Piece {
  return (piece?.kind === 'open' || piece?.kind === 'closed') && itemMarker(piece.head) === undefined;
}

function mayBeBetween(piece: Piece): boolean {
  if (piece.kind === 'closed') return isAtMost(MAX_CAPTION, piece.text);
  return piece.kind === 'byline' || piece.kind === 'short';
}

/** Lines of verse may also end with a comma. They are short, and either many in a row or without a full stop. */
function isVerse(half: Piece, other: Piece): boolean {
  return isShort(half) && isShort(other) && ((half.inRow && other.inRow) || other.kind !== 'closed');
}

function isShort(piece: Piece): boolean {
  return isAtMost(SHORT, piece.text);
}

/** Compares lengths first, which avoids counting the columns of long texts. */
function isAtMost(limit: number, text: string): boolean {
  return text.length <= limit && columns(text) <= limit;
}
