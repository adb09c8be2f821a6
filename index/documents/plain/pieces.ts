import { edge, type Line } from './lines.ts';
import { isAllCaps, isPageNumber, isRule, itemMarker } from './list-marks.ts';
import { textsOf, WIDEST_PAGE } from './paragraphs.ts';
import { columns, endsInComma, isClosed } from './script.ts';
import { type Page, type Segment, titleLevel } from './segments.ts';

/** The longest headline, in columns. */
const MAX_HEADLINE = 100;
/** In columns. Two blocks this short may be lines of verse or a list rather than halves of a sentence. */
const SHORT = 60;
/** This many short blocks in a row are a list or verse rather than headlines. */
const LIST = 4;

/**
 * `closed` ends like a sentence; `open` is prose that does not; `short` does not either, and may be a headline; `byline` names an
 * author; `apart` is not prose: a list, verse, an address, a rule.
 */
export interface Piece {
  kind: 'closed' | 'open' | 'short' | 'byline' | 'apart';
  text: string;
  /** The first and last of the original pieces. Their ends show whether a paragraph was split. */
  head: string;
  tail: string;
  /** Of its lines, except that of an indented first line. */
  indent: number;
  lines: number;
  /** Blank lines before it. */
  blanks: number;
  isShort: boolean;
  /** Whether its last line reaches the right edge, so that its sentence may go on. */
  isFull: boolean;
  /** Columns to the left and right of it, if it is one line. */
  margins: [number, number];
  /** Set for headings that their layout, number or capitals show. */
  level: number | undefined;
  /** Whether it is the head or foot of a page. */
  isFurniture: boolean;
  /** Whether it was one of many short paragraphs in a row. */
  inRow: boolean;
  /** Whether it was between two halves. */
  displaced: boolean;
}

/** Makes the texts of segments, and describes them. */
export function piecesOf(segments: Segment[], page: Page): Piece[] {
  const pieces: Piece[] = [];
  const isFurniture = furnitureOf(segments);
  for (const [i, segment] of segments.entries()) {
    const { lines, blanks, isPageStart, level } = segment;
    const texts = level === undefined ? textsOf(lines, page.edge) : [lines.map(({ text }) => text).join(' ')];
    const previous = pieces.at(-1);
    // Items of a list are lines of one block.
    if (previous && level === undefined && isNextItem(segment, previous)) {
      const text = texts.join('\n');
      Object.assign(previous, { text: `${previous.text}\n${text}`, tail: text, kind: 'apart' });
      continue;
    }
    const next = segments[i + 1];
    const isAlone =
      (i === 0 || blanks > 0 || isPageStart || isRule(previous!.tail)) &&
      (!next || next.blanks > 0 || next.isPageStart || isRule(next.lines[0]!.text));
    for (const text of texts)
      pieces.push(pieceOf(text, segment, page, isFurniture[i]!, texts.length === 1, isAlone));
  }
  markRows(pieces);
  markSiblings(pieces);
  return pieces;
}

function isNextItem({ lines, blanks, isPageStart }: Segment, { level, tail }: Piece): boolean {
  const isBelow = blanks === 0 && !isPageStart && level === undefined && !isRule(tail);
  return isBelow && itemMarker(lines[0]!.text) !== undefined;
}

function pieceOf(
  text: string,
  segment: Segment,
  page: Page,
  isFurniture: boolean,
  isWhole: boolean,
  isAlone: boolean,
): Piece {
  const { lines, blanks } = segment;
  const isOneLine = lines.length === 1 || !isWhole;
  const first = lines[0]!;
  const last = lines.at(-1)!;
  const right = lines.reduce((widest, line) => Math.max(widest, edge(line)), 0);
  const level =
    segment.level ??
    (isAlone && (!text.includes('\n') || isInscription(segment, page)) ? titleLevel(segment) : undefined);
  return {
    kind: level === undefined ? pieceKind(text) : 'short',
    text: level === undefined ? text : text.replaceAll('\n', ' '),
    head: text,
    tail: text,
    indent: lines.length > 1 ? Math.min(first.indent, lines[1]!.indent) : first.indent,
    lines: isOneLine ? 1 : lines.length,
    blanks,
    isShort: isAtMost(SHORT, text),
    isFull: isOneLine || right > WIDEST_PAGE || edge(last) > 0.85 * right,
    margins: [first.indent, page.edge - edge(last)],
    level: isFurniture ? undefined : level,
    isFurniture,
    inRow: false,
    displaced: false,
  };
}

/** Whether lines are a title in capitals, in the middle of the page. */
function isInscription({ lines }: Segment, page: Page): boolean {
  const isCentred = (line: Line) => line.indent >= 8 && Math.abs(line.indent + edge(line) - page.edge) <= 12;
  return isAllCaps(lines[0]!.text) && lines.every(isCentred);
}

/** What a text looks like by itself. */
export function pieceKind(text: string): Piece['kind'] {
  if (text.includes('\n') || isRule(text)) return 'apart';
  const isHeadlineLong = isAtMost(MAX_HEADLINE, text);
  if (isHeadlineLong && isByline(text)) return 'byline';
  if (isClosed(text)) return 'closed';
  if (!isHeadlineLong || containsSentence(text) || endsInComma(text)) return 'open';
  return itemMarker(text) === undefined ? 'short' : 'apart';
}

/** Of many short pieces in a row, none is a headline. */
function markRows(pieces: Piece[]): void {
  let start = 0;
  for (let end = 0; end <= pieces.length; end++) {
    const piece = pieces[end];
    if (piece?.isShort && piece.lines === 1) continue;
    if (end - start >= LIST) for (let i = start; i < end; i++) pieces[i]!.inRow = true;
    start = end + 1;
  }
}

/** Numbered pieces one after the other are the items of a list, or a table of contents, rather than headings. */
function markSiblings(pieces: Piece[]): void {
  const markers = pieces.map(({ head, lines }) => (lines <= 3 ? itemMarker(head) : undefined));
  for (const [i, piece] of pieces.entries()) {
    const marker = markers[i];
    if (marker === undefined || (marker !== markers[i - 1] && marker !== markers[i + 1])) continue;
    piece.level = undefined;
    if (piece.kind === 'short' || piece.kind === 'byline') piece.kind = 'apart';
  }
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
export function hasByPrefix(text: string): boolean {
  return /^(?:By|BY|Von|Par|Por)(?:\s+(?:\p{Lu}[\p{L}\p{M}.'’-]*,?|and|und|et|y|e|&|de|da|di|van|von|der))+$/u.test(
    text,
  );
}

/** Compares lengths first, which avoids counting the columns of long texts. */
export function isAtMost(limit: number, text: string): boolean {
  return text.length <= limit && columns(text) <= limit;
}

/** In columns. */
const WIDEST_HEAD = 200;

/**
 * Which segments are the head or foot of a page: page numbers, and lines beside them or at the edge of a page that recur with other
 * numbers or have a page number to the left or right.
 */
function furnitureOf(segments: Segment[]): boolean[] {
  const lines = segments.map(lineOf);
  const isNumber = lines.map((line) => line !== undefined && isPageNumber(line));
  const isOutside = segments.map(
    ({ isPageStart }, i) => isPageStart || segments[i + 1]?.isPageStart || isNumber[i - 1] || isNumber[i + 1],
  );
  const keys = lines.map((line, i) => {
    if (line === undefined || segments[i]!.lines[0]!.isRule) return undefined;
    return isOutside[i] || hasPageNumber(line) ? line.replace(/\d+/g, '0').replace(/\s+/g, ' ') : undefined;
  });
  const counts = new Map<string | undefined, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const isFurniture = lines.map((line, i) => {
    if (isNumber[i] || keys[i] === undefined) return isNumber[i]!;
    return counts.get(keys[i])! > 1 || (isOutside[i] === true && hasPageNumber(line!));
  });
  // The head of a page follows the foot of the one before, and may have two lines.
  for (const [i, line] of lines.entries())
    if (line !== undefined && isFurniture[i - 1] && /\S\s{3,}\S/.test(line)) isFurniture[i] = true;
  return isFurniture;
}

function lineOf({ lines }: Segment): string | undefined {
  return lines.length === 1 && lines[0]!.width < WIDEST_HEAD ? lines[0]!.text : undefined;
}

/** `Writer    Informational    [Page 1]`, `26    THE HARBOUR BOOK`. */
function hasPageNumber(line: string): boolean {
  return /^\d{1,4}\s{3,}\S|\S\s{3,}\S.*\d{1,4}\]?$/.test(line);
}
