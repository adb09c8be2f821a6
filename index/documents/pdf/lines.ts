import { isRightToLeft, logicalOrder, type Piece } from './pieces.ts';

/** Pieces of a line without a wide gap between them. */
export interface Segment {
  pieces: Piece[];
  x0: number;
  x1: number;
  y: number;
  size: number;
  /** Of its first piece. */
  order: number;
}

/** Text between wide gaps of a line. */
export interface Cell {
  text: string;
  x0: number;
  x1: number;
}

/** A line of text in a column, or a row of a table. Texts of rows whose cells have several lines contain line breaks. */
export interface Line {
  text: string;
  cells: Cell[];
  x0: number;
  x1: number;
  /** Where its letters stand. */
  y: number;
  /** `y` of the last of its lines. */
  bottom: number;
  /** The font of most of its characters. */
  size: number;
  font: string;
}

/** In font sizes. Words in a line are closer, and columns are not. */
const WORD_GAP = 0.6;
/** In font sizes. Letters of a word are closer. */
const LETTER_GAP = 0.2;
/** In font sizes. Cells of a table are further apart. */
const CELL_GAP = 1.3;

/** The dots between the title and the page number of an entry of a table of contents. */
const LEADER = /(?: ?[.·…]){5,} ?/u;

/** Joins pieces in the order of the content while they continue each other on one line. */
export function segmentsOf(pieces: Piece[]): Segment[] {
  const segments: Segment[] = [];
  const places = new Set<string>();
  for (const piece of pieces) {
    const { text, x0, x1, y, size, order } = piece;
    const place = `${text}\n${Math.round(x0 / 2)}\n${Math.round(y / 2)}`;
    // Some programs print text twice for bold, or for a shadow.
    if (!isBlank(piece) && places.has(place)) continue;
    places.add(place);
    const last = segments.at(-1);
    if (last && continues(last, piece)) append(last, piece);
    else if (!isBlank(piece)) segments.push({ pieces: [piece], x0, x1, y, size, order });
  }
  return segments;
}

function isBlank({ text }: Piece): boolean {
  return text.trim() === '';
}

function continues(segment: Segment, piece: Piece): boolean {
  const size = Math.max(segment.size, piece.size);
  const gap = Math.max(piece.x0 - segment.x1, segment.x0 - piece.x1);
  if (isBlank(piece) && piece.x1 - piece.x0 > WORD_GAP * size) return false;
  return overlapInHeight(segment, piece) >= 0.4 && gap < WORD_GAP * size;
}

function append(segment: Segment, piece: Piece): void {
  segment.pieces.push(piece);
  // The space after a word would hide the gap before the next column.
  if (isBlank(piece)) return;
  if (piece.x1 - piece.x0 > segment.x1 - segment.x0) {
    segment.y = piece.y;
    segment.size = piece.size;
  }
  segment.x0 = Math.min(segment.x0, piece.x0);
  segment.x1 = Math.max(segment.x1, piece.x1);
}

/** The share of the smaller one's height that is beside the other. */
function overlapInHeight(one: Pick<Piece, 'y' | 'size'>, other: Pick<Piece, 'y' | 'size'>): number {
  const top = Math.max(one.y - 0.75 * one.size, other.y - 0.75 * other.size);
  const bottom = Math.min(one.y + 0.05 * one.size, other.y + 0.05 * other.size);
  return (bottom - top) / (0.8 * Math.min(one.size, other.size));
}

/** Groups segments into rows, from top to bottom. */
export function rowsOf(segments: Segment[]): Segment[][] {
  const rows: { main: Segment; segments: Segment[] }[] = [];
  for (const segment of segments.toSorted((one, other) => one.y - other.y)) {
    // Rows are sorted by height, so only the last ones may be beside this one.
    const row = rows.slice(-3).find(({ main }) => overlapInHeight(main, segment) >= 0.4);
    if (!row) rows.push({ main: segment, segments: [segment] });
    else {
      row.segments.push(segment);
      if (segment.x1 - segment.x0 > row.main.x1 - row.main.x0) row.main = segment;
    }
  }
  rows.sort((one, other) => one.main.y - other.main.y);
  return rows.map((row) => row.segments);
}

/** Makes the line of a row. */
function lineOf(row: Segment[]): Line {
  // Places that differ by rounding only are the same.
  const place = ({ x0 }: Piece) => Math.round(4 * x0);
  const pieces = row
    .flatMap((segment) => segment.pieces)
    .sort((one, other) => place(one) - place(other) || one.order - other.order);
  const sizes = new Map<string, { size: number; font: string; y: number; count: number }>();
  for (const { text, size, font, y } of pieces) {
    const key = `${font} ${size.toFixed(1)}`;
    const entry = sizes.get(key) ?? { size, font, y, count: 0 };
    sizes.set(key, { ...entry, count: entry.count + text.trim().length });
  }
  const main = [...sizes.values()].reduce((best, next) => (next.count > best.count ? next : best));
  const cells: { pieces: Piece[]; x0: number; x1: number }[] = [];
  for (const piece of pieces) {
    const cell = cells.at(-1);
    const { x0, x1 } = piece;
    if (cell && (isBlank(piece) || x0 - cell.x1 < CELL_GAP * main.size)) {
      cell.pieces.push(piece);
      if (!isBlank(piece)) cell.x1 = Math.max(cell.x1, x1);
    } else if (!isBlank(piece)) cells.push({ pieces: [piece], x0, x1 });
  }
  const { x0 } = cells[0]!;
  const x1 = Math.max(...cells.map((cell) => cell.x1));
  const separate = isJustified(cells, main.size) ? [{ pieces, x0, x1 }] : cells;
  const texts = separate.map((cell): Cell => ({ text: textOf(cell.pieces), x0: cell.x0, x1: cell.x1 }));
  const { y, size, font } = main;
  return {
    text: withoutLeader(textOf(pieces)),
    cells: entryCells(texts) ?? mergeMarker(texts, ' '),
    x0,
    x1,
    y,
    bottom: y,
    size,
    font,
  };
}

/**
 * Puts marks that were printed over right-to-left letters behind those letters. Otherwise, they would come before them, because they
 * are right of the start of the letter.
 */
function withMarks(pieces: Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const base = result.at(-1);
    if (base && /^\p{M}+$/u.test(piece.text.trim()) && isRightToLeft(base.text) && piece.x0 <= base.x1) {
      const letters = [...base.text];
      const place = (base.x1 - (piece.x0 + piece.x1) / 2) / Math.max(base.x1 - base.x0, 1);
      const at = Math.min(letters.length, Math.max(1, Math.ceil(place * letters.length)));
      const text = [...letters.slice(0, at), piece.text.trim(), ...letters.slice(at)].join('');
      result[result.length - 1] = { ...base, text };
    } else result.push(piece);
  }
  return result;
}

/** Whether the gaps are equal, as between the words of a justified line in a narrow column. */
function isJustified(cells: { x0: number; x1: number }[], size: number): boolean {
  const gaps = cells.slice(1).map(({ x0 }, i) => x0 - cells[i]!.x1);
  return gaps.length > 1 && Math.max(...gaps) - Math.min(...gaps) < 0.15 * size;
}

function textOf(pieces: Piece[]): string {
  const spaced: { text: string }[] = [];
  let end: Piece | undefined;
  for (const piece of withMarks(pieces)) {
    if (end && !isBlank(piece) && piece.x0 - end.x1 > LETTER_GAP * Math.min(piece.size, end.size))
      spaced.push({ text: ' ' });
    spaced.push(piece);
    if (!isBlank(piece)) end = piece;
  }
  const text = logicalOrder(spaced).map((run) => run.text);
  return text
    .join('')
    .replace(/\s+(?=[\s\p{M}])/gu, '')
    .trim();
}

/** Joins a bullet or a number to the text after it. */
function mergeMarker(cells: Cell[], space: string): Cell[] {
  const [marker, text, ...rest] = cells;
  if (!text || !/^(?:[^\p{L}\p{N}\s]|[\p{N}.]{1,8}|[(]?[\p{L}\p{N}]{1,3}[.)])$/u.test(marker!.text))
    return cells;
  return [{ text: marker!.text + space + text.text, x0: marker!.x0, x1: text.x1 }, ...rest];
}

/** The title and the page number of an entry of a table of contents, which dots connect. */
function entryCells(cells: Cell[]): Cell[] | undefined {
  const [title, ...rest] = cells
    .map((cell) => cell.text)
    .join(' ')
    .split(LEADER);
  if (rest.length === 0) return undefined;
  const { x0 } = cells[0]!;
  const { x1 } = cells.at(-1)!;
  return [
    { text: title!.trim(), x0, x1: x0 },
    { text: rest.join(' ').trim(), x0: x1, x1 },
  ].filter((cell) => cell.text !== '');
}

function withoutLeader(text: string): string {
  return text.replace(LEADER, ' ').trim();
}

/** In font sizes: lines of a cell are closer. */
const MAX_STEP = 1.7;

/** The segments that follow each other in the content and are below each other, such as the lines of a cell. */
interface Run {
  segments: Segment[];
  x0: number;
  x1: number;
  top: number;
  bottom: number;
}

/**
 * The lines of a block. A row of a table whose cells have several lines is one line, because the content has all lines of a cell before
 * those of the next cell.
 */
export function linesOf(block: Segment[]): Line[] {
  return groupsOf(runsOf(rowsOf(block).flatMap(joinJustified))).flatMap((runs) => {
    if (isRowOfCells(runs)) return [rowLine(runs)];
    return rowsOf(runs.flatMap(({ segments }) => segments)).map(lineOf);
  });
}

/** Joins the words of a justified line, which are not cells. */
function joinJustified(row: Segment[]): Segment[] {
  const sorted = row.toSorted(fromLeft);
  const first = sorted[0]!;
  if (!isJustified(sorted, first.size)) return row;
  const order = Math.min(...row.map((segment) => segment.order));
  return [{ ...first, order, pieces: sorted.flatMap(({ pieces }) => pieces), x1: sorted.at(-1)!.x1 }];
}

function fromLeft(one: { x0: number }, other: { x0: number }): number {
  return one.x0 - other.x0;
}

function runsOf(block: Segment[]): Run[] {
  const runs: Run[] = [];
  for (const segment of block.toSorted((one, other) => one.order - other.order)) {
    const { x0, x1, y, size } = segment;
    const run = runs.at(-1);
    const step = run ? y - run.bottom : 0;
    if (run && step > 0.5 * size && step < MAX_STEP * size && x0 < run.x1 && x1 > run.x0) {
      run.segments.push(segment);
      run.bottom = y;
      run.x0 = Math.min(run.x0, x0);
      run.x1 = Math.max(run.x1, x1);
    } else runs.push({ segments: [segment], x0, x1, top: y - 0.5 * size, bottom: y });
  }
  return runs;
}

/** Groups runs that are beside each other, from top to bottom. */
function groupsOf(runs: Run[]): Run[][] {
  const groups: Run[][] = [];
  let bottom = Number.NEGATIVE_INFINITY;
  for (const run of runs.toSorted((one, other) => one.top - other.top)) {
    if (run.top < bottom) groups.at(-1)!.push(run);
    else groups.push([run]);
    bottom = Math.max(bottom, run.bottom);
  }
  return groups.map((group) => group.sort(fromLeft));
}

function isRowOfCells(runs: Run[]): boolean {
  return (
    runs.length > 1 &&
    runs.some(({ segments }) => segments.length > 1) &&
    runs.every((run, i) => i === 0 || run.x0 > runs[i - 1]!.x1)
  );
}

function rowLine(runs: Run[]): Line {
  const main = runs.reduce((best, next) => (next.segments.length > best.segments.length ? next : best));
  const cells = runs.map(({ segments, x0, x1 }) => ({
    text: segments.map((segment) => lineOf([segment]).text).join('\n'),
    x0,
    x1,
  }));
  return {
    ...lineOf(main.segments),
    text: cells.map(({ text }) => text).join('\n'),
    cells: mergeMarker(cells, '\n'),
    x0: runs[0]!.x0,
    x1: main.segments.at(-1)!.x1,
    y: Math.min(...runs.map(({ segments }) => segments[0]!.y)),
    bottom: Math.max(...runs.map(({ bottom }) => bottom)),
  };
}
