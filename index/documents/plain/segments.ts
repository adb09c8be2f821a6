import { type Chunk, edge, firstWord, type Line } from './lines.ts';
import {
  hasDotLeader,
  hasProseStart,
  isAllCaps,
  isDivision,
  isRoman,
  isUnderline,
  itemMarker,
  numberDepth,
  quotePrefix,
} from './list-marks.ts';
import { isClosed } from './script.ts';

/** Lines that are one block, before paragraphs across blank lines are rejoined. */
export interface Segment {
  lines: Line[];
  /** Blank lines before it. */
  blanks: number;
  isPageStart: boolean;
  /** Whether all lines but the first are further to the right. */
  isHanging: boolean;
  /** Set if a mark of the layout, such as an underline, makes it a heading. */
  level?: number;
}

/** What the layout of a whole text says about its lines. */
export interface Page {
  /** The column that paragraphs are wrapped at. */
  edge: number;
  /** Whether it is a page of a manual, whose headings are further to the left than its text. */
  isManual: boolean;
}

/** The longest heading, in lines. */
const MAX_HEADING_LINES = 3;
/** A line that ends a sentence before this share of the width ends its paragraph. */
const SHORT_LINE = 0.75;
/** A line that reaches this share of the width may have been wrapped. */
const FULL_LINE = 0.9;
/** In columns. Narrower lines are verse or a list, which sentences do not end. */
const NARROWEST_TEXT = 40;
/** In columns. A line that is indented more is an example. */
const MAX_FIRST_INDENT = 12;

/** Splits lines without a blank line between them into blocks. */
export function segmentsOf(chunk: Chunk, page: Page): Segment[] {
  const { lines } = chunk;
  const segments: Segment[] = [];
  let right = 0;
  let base = Number.POSITIVE_INFINITY;
  let isTable = false;
  for (const line of lines) {
    right = Math.max(right, edge(line));
    base = Math.min(base, line.indent);
    isTable ||= isBorder(line.text);
  }
  let segment: Segment | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const heading = headingAt(lines, i, page);
    if (heading) {
      segments.push(newSegment(lines.slice(i, i + heading.lines), chunk, i === 0, heading.level));
      i += heading.lines - 1;
      segment = undefined;
    } else if (!segment || startsBlock({ line, next: lines[i + 1], segment, right, base, isTable })) {
      segment = newSegment([line], chunk, i === 0);
      segments.push(segment);
    } else {
      segment.lines.push(line);
      segment.isHanging &&= line.indent > segment.lines[0]!.indent;
    }
  }
  return segments;
}

function newSegment(
  lines: Line[],
  { blanks, isPageStart }: Chunk,
  isFirst: boolean,
  level?: number,
): Segment {
  return { lines, blanks: isFirst ? blanks : 0, isPageStart: isFirst && isPageStart, isHanging: true, level };
}

/** The heading that a chunk's lines have at `i`, if its layout leaves no doubt. */
function headingAt(lines: Line[], i: number, page: Page): { lines: number; level: number } | undefined {
  const line = lines[i]!;
  const next = lines[i + 1];
  if (line.isRule) return undefined;
  if (next?.isRule && hasProseStart(line.text) && isUnderline(next.text) && underlines(next, line)) {
    const previous = lines[i - 1];
    if (!previous || previous.isRule) return { lines: 1, level: '=*#═━'.includes(next.text[0]!) ? 2 : 3 };
  }
  if (i > 0 || !next || next.isRule) return undefined;
  if (page.isManual) {
    const isHeading = line.indent <= 3 && next.indent > line.indent;
    return isHeading ? { lines: 1, level: line.indent === 0 ? 2 : 3 } : undefined;
  }
  return numberedHeading(lines);
}

/** An underline is about as long as the line above it, which is not the head of a table. */
function underlines(rule: Line, line: Line): boolean {
  if (/ {3,}|\t|\|/.test(line.text)) return false;
  if (Math.abs(rule.width - line.width) <= 2) return true;
  return rule.width >= 0.5 * line.width && !isClosedSentence(line.text);
}

/** A numbered heading with its text directly below it, as in text of a PDF. */
function numberedHeading(lines: Line[]): { lines: number; level: number } | undefined {
  const first = lines[0]!;
  const depth = numberDepth(first.text);
  if (depth < 2 || lines.slice(1).some(({ text }) => numberDepth(text) > 0)) return undefined;
  const level = Math.min(6, depth + 1);
  for (let count = 1; count <= MAX_HEADING_LINES && count < lines.length; count++) {
    if (/[?？!！]$/u.test(lines[count - 1]!.text)) return { lines: count, level };
  }
  const next = lines[1]!;
  const right = lines.reduce((widest, line) => Math.max(widest, edge(line)), 0);
  const isShort = edge(first) + firstWord(next) < SHORT_LINE * right;
  return isShort && !beginsInLowerCase(next.text) ? { lines: 1, level } : undefined;
}

interface Place {
  line: Line;
  next: Line | undefined;
  segment: Segment;
  /** The right edge and the indent of the chunk. */
  right: number;
  base: number;
  isTable: boolean;
}

function startsBlock(place: Place): boolean {
  const { line, segment, right, isTable } = place;
  const { lines, isHanging } = segment;
  const first = lines[0]!;
  const previous = lines.at(-1)!;
  if (!isTable && line.isRule !== previous.isRule) return true;
  if (line.isRule || isTable) return false;
  if (quotePrefix(line.text) !== quotePrefix(previous.text)) return true;
  if (hasDotLeader(line.text) || hasDotLeader(previous.text)) return false;
  const marker = itemMarker(line.text);
  if (marker !== undefined && !(flowsInto(previous, line, right) && itemMarker(first.text) !== marker))
    return true;
  // The author of a quotation.
  if (line.indent > previous.indent && /^(?:--|—|―) ?\p{Lu}/u.test(line.text)) return true;
  if (lines.length > 1 && isHanging) return line.indent <= first.indent;
  return (
    endsItem(place) ||
    hasFirstIndent(place) ||
    (endsEarly(previous, line, right) && line.indent <= Math.max(first.indent, previous.indent))
  );
}

/** Whether a line is below a list item: the lines of an item are indented, or reach the right edge. */
function endsItem({ line, segment: { lines }, right }: Place): boolean {
  const first = lines[0]!;
  const previous = lines.at(-1)!;
  if (itemMarker(first.text) === undefined || line.indent > first.indent || beginsInLowerCase(line.text))
    return false;
  if (line.indent < first.indent) return isClosedSentence(previous.text);
  return edge(previous) + firstWord(line) < FULL_LINE * right;
}

/** Whether a line is the first of a paragraph whose first line is indented. */
function hasFirstIndent({ line, next, segment: { lines }, base }: Place): boolean {
  const first = lines[0]!;
  const previous = lines.at(-1)!;
  if (line.indent <= base || line.indent - base > MAX_FIRST_INDENT || line.indent < first.indent)
    return false;
  if (next && next.indent > line.indent) return false;
  const isLater = lines.length > 1 && line.indent > previous.indent;
  return (isLater || line.indent === first.indent) && isClosedSentence(previous.text);
}

/** Whether a line ends a sentence so early that the next line must begin a paragraph. */
function endsEarly(line: Line, next: Line, right: number): boolean {
  if (edge(line) + firstWord(next) >= SHORT_LINE * right || right < NARROWEST_TEXT) return false;
  return isClosedSentence(line.text) && !beginsInLowerCase(next.text);
}

/** Whether a sentence goes on in the next line, which begins with a mark by chance. */
function flowsInto(line: Line, next: Line, right: number): boolean {
  if (next.indent !== line.indent || /[.:;!?。：；！？]$/u.test(line.text)) return false;
  return edge(line) + firstWord(next) > FULL_LINE * right;
}

/** Whether a line is a border or row of a table that is drawn with characters. */
function isBorder(text: string): boolean {
  return /^[+|│┌├└┏┣┗╔╠╚].*[+|│┐┤┘┓┫┛╗╣╝]$/u.test(text);
}

function isClosedSentence(text: string): boolean {
  return isClosed(text) && !/[:：\p{Pd}]$/u.test(text);
}

function beginsInLowerCase(text: string): boolean {
  return /^\p{Ll}/u.test(text);
}

/** Whether a whole segment is the title of a division: numbered, named or in capitals. Returns its level. */
export function titleLevel({ lines }: Segment): number | undefined {
  const text = lines.map((line) => line.text).join(' ');
  if (lines.length > MAX_HEADING_LINES || text.length > 200 || hasDotLeader(text)) return undefined;
  if (!hasProseStart(text) || /(?:[;,:；，：…]|\.\.\.)$/u.test(text)) return undefined;
  const depth = numberDepth(text);
  if (depth > 0) return /[.。]$/u.test(text) ? undefined : Math.min(6, depth + 1);
  if (isDivision(text) || isRoman(text)) return 2;
  return isAllCaps(lines[0]!.text) && /\p{Lu}{3}/u.test(text) ? 2 : undefined;
}
