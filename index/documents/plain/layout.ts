import type { Block } from '../document.ts';
import { headingLevels } from './headings.ts';
import { itemMarker } from './list-marks.ts';
import { hasByPrefix, isAtMost, type Piece, pieceKind } from './pieces.ts';
import {
  beginsInLowerCase,
  beginsWithClosingMark,
  columns,
  cutsWord,
  endsInComma,
  endsInSemicolon,
  isClosed,
  isUnspaced,
  joint,
  leavesOpen,
} from './script.ts';

/** The longest photo caption, in columns. */
const MAX_CAPTION = 200;
/** `Dear all,`, in columns. */
const MAX_SALUTATION = 40;
/** Blocks between the halves of a paragraph, such as a caption and its credit, or the foot and the head of pages. */
const MAX_BETWEEN = 4;

/**
 * Rejoins paragraphs that columns or page breaks split, and finds headings. A block between two halves, such as a caption or the head
 * of a page, is moved after them. No character is lost.
 *
 * A paragraph that does not end like a sentence is joined with
 * - the next one, or the one after a headline, byline or caption, if the cut splits a word, or if that one begins with a lower-case
 *   letter or a closing mark;
 * - the next one, or the one after a headline or byline, if it ends with a comma or inside brackets;
 * - the next one, if it is too long for a headline or begins with a whole sentence, its last line is full, and most paragraphs end
 *   with a mark.
 */
export function rejoin(pieces: Piece[]): Block[] {
  const count = (kind: Piece['kind']) => pieces.reduce((sum, piece) => sum + Number(piece.kind === kind), 0);
  // If paragraphs rarely end with a mark (Thai, logs), a missing mark is no evidence.
  const marked = count('open') <= 2 * count('closed');
  const joined: Piece[] = [];
  // The next piece is at the end.
  const pending = pieces.reverse();
  for (let piece = pending.pop(); piece !== undefined; piece = pending.pop()) {
    const mayBeHalf =
      (piece.kind === 'open' || piece.kind === 'short') && !piece.isFurniture && piece.level === undefined;
    const at = mayBeHalf ? otherHalf(piece, pending, marked) : undefined;
    if (at === undefined) {
      joined.push(piece);
      continue;
    }
    const next = pending.splice(-at - 1);
    const other = next.shift()!;
    // `pending` has the next pieces in reverse.
    for (const between of next) pending.push({ ...between, displaced: true });
    pending.push(join(piece, other));
    // The previous piece may match the whole, although it did not match the half.
    const before = joined.pop();
    if (before) pending.push(before);
  }
  return toBlocks(joined);
}

/** The last block of an article ends its section. */
function toBlocks(pieces: Piece[]): Block[] {
  const levels = headingLevels(pieces);
  let paragraphs = 0;
  return pieces.map((piece, i): Block => {
    const level = levels[i];
    if (level !== undefined) {
      paragraphs = 0;
      return { kind: 'heading', level, text: piece.text.replaceAll('\n', ' ') };
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

function join(half: Piece, other: Piece): Piece {
  const isEnd = isClosed(other.tail);
  return {
    ...half,
    kind: isEnd ? 'closed' : pieceKind(other.tail) === 'short' ? 'open' : other.kind,
    text: half.text + joint(half.tail, other.head) + other.text,
    tail: other.tail,
    isFull: other.isFull,
    inRow: false,
    level: undefined,
  };
}

/** The index of the piece among the next ones (the last of `pending`) that continues this one, if it was cut. */
function otherHalf(half: Piece, pending: Piece[], marked: boolean): number | undefined {
  const mustContinue = endsInComma(half.tail) || leavesOpen(half.tail);
  let isLikeliest = true;
  let between = 0;
  for (let i = 0; i <= MAX_BETWEEN; i++) {
    const other = pending[pending.length - 1 - i];
    if (!other) break;
    if (mayContinue(half, other)) {
      // Words that short lines in a row seem to cut are those of a list.
      const isCut = !(half.inRow && other.inRow) && cutsWord(half.tail, other.head);
      if (isCut || (isLikeliest && beginsMidSentence(half, other))) return i;
    }
    if (!mayBeBetween(half, other)) break;
    if (other.isFurniture) continue;
    if (++between > 2) break;
    isLikeliest &&= half.kind === 'open' || isLikelierHalf(half, other);
  }
  if (mustContinue) return otherHalfAfterComma(half, pending);
  if (half.kind !== 'open' || !marked || !half.isFull) return undefined;
  const at = afterFurniture(pending);
  const other = pending[pending.length - 1 - at];
  return other && isProse(other) && mayContinue(half, other) ? at : undefined;
}

function otherHalfAfterComma(half: Piece, pending: Piece[]): number | undefined {
  const next = pending.at(-1);
  const isBetween = (next?.kind === 'byline' || next?.kind === 'short') && !endsInSemicolon(half.tail);
  const after = isBetween && mayBeBetween(half, next) ? 1 : 0;
  const other = pending.at(-1 - after);
  // `Dear all,` and the lines of verse are no first halves.
  if (other && isAtMost(MAX_SALUTATION, half.text) && /^\p{Lu}/u.test(other.head)) return undefined;
  return other && isProse(other) && mayContinue(half, other) && !isVerse(half, other) ? after : undefined;
}

function afterFurniture(pending: Piece[]): number {
  let at = 0;
  while (at < MAX_BETWEEN && pending[pending.length - 1 - at]?.isFurniture) at++;
  return at;
}

/** The halves of a paragraph have the same left edge. */
function mayContinue(half: Piece, other: Piece): boolean {
  return (
    (other.kind === 'open' || other.kind === 'closed' || other.kind === 'short') &&
    other.level === undefined &&
    !other.isFurniture &&
    half.indent === other.indent &&
    itemMarker(other.head) === undefined
  );
}

/** Of two short pieces before another half, one is its first half and one a headline. Headlines rarely end in `of the`. */
function isLikelierHalf(half: Piece, other: Piece): boolean {
  if (other.kind !== 'short') return true;
  const [cut, otherCut] = [half, other].map((piece) => /[^\p{L}]\p{Ll}{1,3}$/u.test(piece.tail));
  if (cut !== otherCut) return cut === true;
  return half.text.length > MAX_CAPTION || columns(half.text) > columns(other.text);
}

/** Whether a piece begins in mid-sentence. Of two short pieces, the second must end the sentence. */
function beginsMidSentence(half: Piece, other: Piece): boolean {
  if (beginsWithClosingMark(other.head)) return true;
  // Names such as `iptables` begin in lower case, too, and show nothing in a script without case.
  if (isUnspaced(half.tail.at(-1)!)) return false;
  return beginsInLowerCase(other.head) && (other.kind === 'closed' || !(half.isShort && other.isShort));
}

function isProse(piece: Piece): boolean {
  return (piece.kind === 'open' || piece.kind === 'closed') && itemMarker(piece.head) === undefined;
}

/** A block that is further to the right is an example, which the text around it mentions. */
function mayBeBetween(half: Piece, piece: Piece): boolean {
  if (piece.isFurniture) return true;
  if (piece.indent !== half.indent || piece.level !== undefined) return false;
  if (piece.kind === 'closed') return isAtMost(MAX_CAPTION, piece.text);
  return piece.kind === 'byline' || piece.kind === 'short';
}

/** Lines of verse may also end with a comma. They are short, and either many in a row or without a full stop. */
function isVerse(half: Piece, other: Piece): boolean {
  return half.isShort && other.isShort && ((half.inRow && other.inRow) || other.kind !== 'closed');
}
