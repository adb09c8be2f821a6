import { isRule } from './list-marks.ts';
import { columns, isUnspaced } from './script.ts';

/** A line that is not blank. */
export interface Line {
  /** Without white space around it. */
  text: string;
  /** Columns of white space before it. */
  indent: number;
  /** In columns, without the indent. */
  width: number;
  /** Whether it has no letter and no digit: a rule, a row of stars, a border. */
  isRule: boolean;
}

/** Lines without a blank line between them. */
export interface Chunk {
  lines: Line[];
  /** Blank lines before it. */
  blanks: number;
  /** Whether it begins a page. */
  isPageStart: boolean;
}

const TAB = 8;
const FORM_FEED = 0x0c;

/** Splits text at blank lines and form feeds. */
export function chunksOf(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let chunk: Chunk | undefined;
  let blanks = 0;
  let isPageStart = false;
  // A form feed ends a page wherever it is in a line. It begins a line of its own here.
  const lines = text.replace(/\r\n?/g, '\n').replace(/\f/g, '\n\f').split('\n');
  for (const raw of lines) {
    if (raw.charCodeAt(0) === FORM_FEED) {
      chunk = undefined;
      isPageStart = true;
    }
    const trimmed = raw.trim();
    if (trimmed === '') {
      if (!isPageStart) blanks++;
      chunk = undefined;
      continue;
    }
    if (!chunk) {
      chunk = { lines: [], blanks, isPageStart };
      chunks.push(chunk);
      blanks = 0;
      isPageStart = false;
    }
    chunk.lines.push({
      text: trimmed,
      indent: raw.length === trimmed.length ? 0 : indentOf(raw),
      width: widthOf(trimmed),
      isRule: isRule(trimmed),
    });
  }
  return chunks;
}

/** The right edge of a line, in columns. */
export function edge({ indent, width }: Line): number {
  return indent + width;
}

/** The columns of a line's first word. */
export function firstWord(line: Line): number {
  const { text } = line;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x20) return i;
    // Scripts without spaces break lines after any letter.
    if (code > 0x7f) return i === 0 && isUnspaced(text[0]!) ? 2 : widthOf(text.slice(0, wordEnd(text, i)));
  }
  return line.width;
}

function wordEnd(text: string, start: number): number {
  const space = text.indexOf(' ', start);
  return space === -1 ? text.length : space;
}

/** The width of a text in columns. Most texts are ASCII, whose width is their length. */
export function widthOf(text: string): number {
  return /^[\x20-\x7E]*$/.test(text) ? text.length : columns(text);
}

function indentOf(line: string): number {
  let indent = 0;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (code === 0x20) indent++;
    else if (code === 0x09) indent += TAB - (indent % TAB);
    else if (code === 0x3000) indent += 2;
    else if (/\s/.test(line[i]!)) indent += code === FORM_FEED ? 0 : 1;
    else break;
  }
  return indent;
}

/**
 * The right edge that paragraphs of a text are wrapped at: the edge that nine of ten lines with a next line do not exceed. Lines that
 * are paragraphs, since no page is this wide, do not count.
 */
export function pageEdge(chunks: Chunk[], widest: number): number {
  const counts = new Uint32Array(widest + 1);
  let total = 0;
  for (const { lines } of chunks) {
    for (let i = 0; i < lines.length - 1; i++) {
      const right = edge(lines[i]!);
      if (right > widest) continue;
      counts[right]!++;
      total++;
    }
  }
  let column = widest;
  for (let above = 0; column > 0 && above + counts[column]! <= total / 10; column--) above += counts[column]!;
  return column;
}
