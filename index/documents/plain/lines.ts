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

/** Splits text at blank lines and form feeds. */
export function chunksOf(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let chunk: Chunk | undefined;
  let blanks = 0;
  let isPageStart = false;
  // A form feed ends a page wherever it is in a line. It begins a line of its own here.
  const lines = text.replace(/\r\n?/g, '\n').replace(/\f/g, '\n\f').split('\n');
  for (const raw of lines) {
    if (raw.startsWith('\f')) {
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
      indent: indentOf(raw),
      width: columns(trimmed),
      isRule: isRule(trimmed),
    });
  }
  return chunks;
}

/** The right edge of a line, in columns. */
export function edge({ indent, width }: Line): number {
  return indent + width;
}

/** The columns of a line's first word. Scripts without spaces break lines after any letter. */
export function firstWord({ text }: Line): number {
  return isUnspaced(text[0]!) ? 2 : columns(text.split(' ', 1)[0]!);
}

function indentOf(line: string): number {
  let indent = 0;
  for (const space of /^\f?(\s*)/.exec(line)![1]!) indent += space === '\t' ? TAB - (indent % TAB) : 1;
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
