import {
  beginsInLowerCase,
  beginsWithClosingMark,
  cutsWord,
  endsInComma,
  endsInSemicolon,
  leavesOpen,
} from './cut.ts';
import type { Block } from './document.ts';
import { itemMarker } from './paragraphs.ts';
import { columns, isClosed, joint } from './script.ts';

/** Columns. A headline is no longer. */
const LONGEST_HEADLINE = 100;
/** Columns. A photo caption is no longer. */
const LONGEST_CAPTION = 200;
/** Columns. Two blocks this short may be lines of verse or a list rather than halves of a sentence. */
const SHORT = 60;
/** So many short blocks in a row are a list or verse rather than headlines. */
const LIST = 4;
/** Blocks that may stand between the halves of a paragraph: a caption and its credit, say. */
const MOST_BETWEEN = 2;

/**
 * `closed` ends as a sentence does; `open` is prose that does not; `short` does not either, and is a headline if it
 * stays so; `byline` names an author; `apart` is not prose: a list, verse, an address.
 */
type Kind = 'closed' | 'open' | 'short' | 'byline' | 'apart';

interface Piece {
  kind: Kind;
  text: string;
  /** The first and the last of the pieces that it was joined of: nothing else tells where it was cut. */
  head: string;
  tail: string;
  /** Whether it is one of many short paragraphs in a row. */
  inRow: boolean;
  /** Whether it stood between two halves. */
  displaced: boolean;
}

/**
 * The blocks of a text that a layout engine wrote: paragraphs cut in mid-sentence are made whole, headlines and
 * bylines are told from paragraphs. A block that stood between two halves follows them; no character is lost.
 *
 * A paragraph that does not end as a sentence does is joined with
 * - the next one, or the one after a headline, byline or caption, if a word runs over the cut, or if that one begins
 *   with a lower-case letter or a closing mark;
 * - the next one, or the one after a headline or byline, if it ends with a comma or within brackets;
 * - the next one, if it is too long for a headline or begins with a whole sentence, and most others end with a mark.
 *
 * What stays open and short is a headline.
 */
export function heal(paragraphs: string[]): Block[] {
  const inRow = inRowsOf(
    LIST,
    paragraphs.map((text) => isWithin(SHORT, text)),
  );
  const pieces = paragraphs.map((text, i): Piece => {
    const listed = [paragraphs[i - 1], paragraphs[i + 1]].some((other) => isSameList(text, other));
    return { kind: kindOf(text, listed), text, head: text, tail: text, inRow: inRow[i]!, displaced: false };
  });
  const count = (kind: Kind) => pieces.filter((piece) => piece.kind === kind).length;
  // Where paragraphs seldom end with a mark (Thai, a log), a missing mark says nothing.
  const marked = count('open') <= 2 * count('closed');
  const healed: Piece[] = [];
  // The next piece is at the end.
  const pending = pieces.reverse();
  for (let piece = pending.pop(); piece !== undefined; piece = pending.pop()) {
    const next = pending.slice(-MOST_BETWEEN - 1).reverse();
    const at = otherHalf(piece, next, marked);
    if (at === undefined) {
      healed.push(piece);
      continue;
    }
    pending.length -= at + 1;
    for (const between of next.slice(0, at).reverse()) pending.push({ ...between, displaced: true });
    pending.push(join(piece, next[at]!));
    // The piece before may go on in the whole, where it did not in the half.
    const before = healed.pop();
    if (before) pending.push(before);
  }
  return toBlocks(healed);
}

/**
 * Headlines become headings: the one that opens the text of level 1, as it is the text's title, and the others of 2.
 */
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
    // Below a headline, or below a headline and its standfirst, a byline opens its article.
    if (!ends || paragraphs < (isByLine(piece.text) ? 3 : 2)) return { kind: 'paragraph', text: piece.text };
    paragraphs = 0;
    return { kind: 'paragraph', text: piece.text, endsSection: true };
  });
}

/** A headline has something below it. Of many short pieces in a row the first and last alone may be headlines. */
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

/** For each flag, whether it is set along with so many in a row. */
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
  const isHeadlineLong = isWithin(LONGEST_HEADLINE, text);
  if (isHeadlineLong && !listed && isByline(text)) return 'byline';
  if (isClosed(text)) return 'closed';
  if (!isHeadlineLong || holdsSentence(text) || endsInComma(text)) return 'open';
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

/** Which of the next pieces goes on where this one was cut, if it was cut. */
function otherHalf(half: Piece, next: Piece[], marked: boolean): number | undefined {
  if (half.kind !== 'open' && half.kind !== 'short') return undefined;
  const wants = endsInComma(half.tail) || leavesOpen(half.tail);
  let isLikeliest = true;
  for (const [i, other] of next.entries()) {
    const mayBeOther =
      other.kind !== 'byline' && other.kind !== 'apart' && itemMarker(other.head) === undefined;
    if (mayBeOther && (cutsWord(half.tail, other.head) || (isLikeliest && beginsWithin(half, other))))
      return i;
    if (!mayStandBetween(other)) break;
    isLikeliest &&= half.kind === 'open' || wants || isLikelierHalf(half, other);
  }
  if (wants) {
    const isBetween =
      (next[0]?.kind === 'byline' || next[0]?.kind === 'short') && !endsInSemicolon(half.tail);
    const after = isBetween ? 1 : 0;
    return isProse(next[after]) && !isVerse(half, next[after]) ? after : undefined;
  }
  return half.kind === 'open' && marked && isProse(next[0]) ? 0 : undefined;
}

/**
 * Of two short pieces before another half, one is its first half and one a headline. Headlines seldom end in `of
 * the`.
 */
function isLikelierHalf(half: Piece, other: Piece): boolean {
  if (other.kind !== 'short') return true;
  const [cut, otherCut] = [half, other].map((piece) => /[^\p{L}]\p{Ll}{1,3}$/u.test(piece.tail));
  return cut === otherCut ? columns(half.text) > columns(other.text) : cut === true;
}

/** Whether a piece begins as no paragraph does. Of two short pieces the second has to end the sentence. */
function beginsWithin(half: Piece, other: Piece): boolean {
  if (beginsWithClosingMark(other.head)) return true;
  return beginsInLowerCase(other.head) && (other.kind === 'closed' || !(isShort(half) && isShort(other)));
}

/** Whether a text holds a whole sentence and more. Abbreviations are short, and headlines may ask and exclaim. */
function holdsSentence(text: string): boolean {
  return /[。।۔]./u.test(text) || /[\p{L}\p{M}]{4}\.["'\p{Pf}\p{Pe}]*\s+["'\p{Pi}\p{Ps}]*\p{Lu}/u.test(text);
}

/** `■记者 …`, `记者：…`, `By Jane Doe`, `Von Anna Schmidt`. */
function isByline(text: string): boolean {
  if (/^[■●◆▲]/u.test(text)) return !isClosed(text);
  if (/^[（(]?(?:本报|本刊|新华社)?(?:见习|特约)?(?:记者|通讯员)[\s:：/]/u.test(text)) return !isClosed(text);
  return isByLine(text) && isWithin(SHORT, text);
}

/** In English and its like the byline stands above the article, in which case it does not end it. */
function isByLine(text: string): boolean {
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

function mayStandBetween(piece: Piece): boolean {
  if (piece.kind === 'closed') return isWithin(LONGEST_CAPTION, piece.text);
  return piece.kind === 'byline' || piece.kind === 'short';
}

/** A comma also ends lines of verse, which are short, and many or without a sentence's end. */
function isVerse(half: Piece, other: Piece): boolean {
  return isShort(half) && isShort(other) && ((half.inRow && other.inRow) || other.kind !== 'closed');
}

function isShort(piece: Piece): boolean {
  return isWithin(SHORT, piece.text);
}

/** Comparing lengths first spares counting the columns of a long text. */
function isWithin(limit: number, text: string): boolean {
  return text.length <= limit && columns(text) <= limit;
}
