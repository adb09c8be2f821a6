import {
  hasDotLeader,
  hasProseStart,
  isAllCaps,
  isDivision,
  isRule,
  isSectionNumber,
  itemMarker,
  numberDepth,
} from './list-marks.ts';
import { isAtMost, type Piece } from './pieces.ts';

/** Shorter text below a line, if it is no sentence, does not show that the line is its heading. */
const MIN_BODY = 20;
/** In columns. Longer questions are paragraphs. */
const MAX_QUESTION = 100;
/** Labels of notes, whose text is not a section. */
const LABEL =
  /^(?:notes?|tip|warning|caution|important|hinweis|tipp|achtung|warnung|remarque|attention|nota|consejo|aviso|注|注意|備考|警告|примечание|внимание)$/iu;
/** Rules, and heads and feet of pages, between a heading and the text around it. */
const MAX_SKIPPED = 8;
/** In columns. A heading is this much further to the left than its text. */
const OUTDENT = 1;

/**
 * The level of each piece that is a heading: 1 for the title at the start of the text, the depth of a number plus 1, else 2. A
 * heading needs evidence: its layout, number or capitals, or its place above prose.
 */
export function headingLevels(pieces: Piece[]): (number | undefined)[] {
  const levels: (number | undefined)[] = pieces.map(() => undefined);
  // A heading may be above another heading, so the last ones are first.
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]!;
    if (piece.isFurniture) continue;
    levels[i] = levelOf(pieces, i, levels);
  }
  const first = pieces.findIndex(({ head, isFurniture }) => !isFurniture && !isRule(head));
  if (levels[first] !== undefined && numberDepth(pieces[first]!.head) === 0) levels[first] = 1;
  withoutSubtitles(pieces, levels);
  return levels;
}

function levelOf(pieces: Piece[], i: number, levels: (number | undefined)[]): number | undefined {
  const piece = pieces[i]!;
  const at = neighbour(pieces, i, 1);
  const next = pieces[at];
  if (piece.level !== undefined) {
    if (!next) return undefined;
    const depth = numberDepth(piece.head);
    const previous = pieces[neighbour(pieces, i, -1)];
    // Titles of the same kind one after the other are a table of contents.
    const isSibling =
      (next.level !== undefined && levels[at] === undefined && isSameKind(piece, next)) ||
      (depth > 0 && previous?.level !== undefined && numberDepth(previous.head) >= depth);
    // `2. Run the command` may be an item of a list with an example below it.
    const isItem = itemMarker(piece.head) !== undefined && levels[at] === undefined && !isBody(next);
    return isSibling || isItem ? undefined : piece.level;
  }
  const isQuestion = /[?？]$/u.test(piece.text) && isAtMost(MAX_QUESTION, piece.text);
  if (!next || !(piece.kind === 'short' || isQuestion)) return undefined;
  if (!isTitleLike(piece.text) || isSectionNumber(piece.text)) return undefined;
  const before = neighbour(pieces, i, -1);
  if (before < 0) return 2;
  const isAbove = levels[at] !== undefined || isBody(next);
  if (!isAbove) return undefined;
  if (piece.indent + OUTDENT <= next.indent || isCentred(piece)) return 2;
  if (isQuestion || piece.lines > 1 || (piece.indent > next.indent && levels[at] === undefined))
    return undefined;
  return isRule(pieces[i - 1]!.head) || piece.blanks >= 2 || mayEndBefore(pieces[before]!) ? 2 : undefined;
}

/** The index of the next piece that is no rule, no number and no head or foot of a page. */
function neighbour(pieces: Piece[], i: number, step: 1 | -1): number {
  let at = i + step;
  for (let skipped = 0; skipped < MAX_SKIPPED; skipped++) {
    const piece = pieces[at];
    if (!piece || !(piece.isFurniture || isRule(piece.head) || isSectionNumber(piece.head))) break;
    at += step;
  }
  return at;
}

function isSameKind(piece: Piece, next: Piece): boolean {
  const [depth, nextDepth] = [numberDepth(piece.head), numberDepth(next.head)];
  if (depth > 0 || nextDepth > 0) return depth >= nextDepth && nextDepth > 0;
  return isDivision(piece.head) === isDivision(next.head) && isAllCaps(piece.head) === isAllCaps(next.head);
}

/** Prose, a list, verse or a table. */
function isBody(piece: Piece): boolean {
  // A command or an address is an example of the line above it.
  if (hasDotLeader(piece.head)) return false;
  if (!hasProseStart(piece.head) && itemMarker(piece.head) === undefined) return false;
  if (piece.lines > 1) return true;
  if (piece.kind === 'closed' && !/[:：]$/u.test(piece.text)) return true;
  return piece.kind !== 'short' && piece.text.length >= MIN_BODY;
}

/** Whether the text before a heading may end with this piece. */
function mayEndBefore(piece: Piece): boolean {
  if (/[:：,，]$/u.test(piece.tail)) return false;
  return piece.kind !== 'short' || piece.lines > 1 || piece.level !== undefined;
}

/** Words, beginning with a capital if the script has them; no command, address or assignment. */
function isTitleLike(text: string): boolean {
  if (!hasProseStart(text) || LABEL.test(text)) return false;
  return !/^(?:copyright|©)|::|\(\)|[@*=|\\<>{}$]|:\/\/|^\S*\/\S*$|\s{3,}|[,;、，]$|\.{2,}$/iu.test(text);
}

/** Below a title, a name, a date or a subtitle is no heading. */
function withoutSubtitles(pieces: Piece[], levels: (number | undefined)[]): void {
  for (let i = 1; i < pieces.length; i++) {
    const piece = pieces[i]!;
    const previous = pieces[i - 1]!;
    const isBelow = levels[i] !== undefined && levels[i - 1] !== undefined && piece.blanks < 2;
    const isNumbered = numberDepth(previous.head) > 0 || isDivision(previous.head);
    if (isBelow && piece.level === undefined && !isNumbered && piece.indent === previous.indent)
      levels[i] = undefined;
  }
}

function isCentred({ margins: [left, right] }: Piece): boolean {
  return left >= 8 && Math.abs(left - right) <= 12;
}
