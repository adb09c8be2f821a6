import type { Cell, Line } from './lines.ts';

/** Consecutive lines: a table with its rows, or other text. */
interface Part {
  lines: Line[];
  rows?: string[][];
}

/** Rows that a table has at least if cells begin below each other, and if they only end below each other, as justified lines do. */
const MIN_ROWS = 2;
const MIN_ROWS_BY_END = 3;

/** Separates tables from other lines. Texts of cells contain line breaks. A row of a table has several cells, one of which begins or ends where one above does. */
export function tablesOf(lines: Line[]): Part[] {
  const parts: Part[] = [];
  let text: Line[] = [];
  for (let i = 0; i < lines.length; ) {
    const end = tableEnd(lines, i);
    const rows = lines.slice(i, end);
    if (!isTable(rows.filter(({ cells }) => cells.length > 1))) {
      text.push(lines[i]!);
      i++;
      continue;
    }
    if (text.length > 0) parts.push({ lines: text });
    text = [];
    parts.push({ lines: rows, rows: rowTexts(rows) });
    i = end;
  }
  if (text.length > 0) parts.push({ lines: text });
  return parts;
}

function isTable(rows: Line[]): boolean {
  if (rows.length >= MIN_ROWS_BY_END) return true;
  return rows.length >= MIN_ROWS && rows.slice(1).some((line, i) => beginsBelow(rows[i]!, line));
}

function beginsBelow(row: Line, line: Line): boolean {
  return line.cells
    .slice(1)
    .some(({ x0 }) => row.cells.slice(1).some((other) => Math.abs(x0 - other.x0) < 0.6 * line.size));
}

function tableEnd(lines: Line[], start: number): number {
  let end = start;
  for (let row = lines[start]; end < lines.length; end++) {
    const line = lines[end]!;
    if (end > start && !(line.cells.length > 1 ? isAligned(row!, line) : isContinued(row!, line))) break;
    if (end === start && line.cells.length < 2) break;
    if (line.cells.length > 1) row = line;
  }
  return end;
}

function isAligned(row: Line, line: Line): boolean {
  return line.cells.some((cell, i) =>
    row.cells.some((other, j) => {
      if (i + j === 0) return false;
      const tolerance = 0.6 * line.size;
      return (
        Math.abs(cell.x0 - other.x0) < tolerance ||
        Math.abs(cell.x1 - other.x1) < tolerance ||
        Math.abs(cell.x0 + cell.x1 - other.x0 - other.x1) < tolerance
      );
    }),
  );
}

/** Whether a line is the second line of a cell that is not the first of its row. */
function isContinued(row: Line, line: Line): boolean {
  return row.cells.some(({ x0 }, i) => i > 0 && Math.abs(x0 - line.x0) < 0.6 * line.size);
}

function rowTexts(lines: Line[]): string[][] {
  const rows: Cell[][] = [];
  for (const { cells, size } of lines) {
    const above = rows.at(-1);
    const isContinuation =
      above !== undefined && cells[0]!.x0 > above[0]!.x0 + 2 * size && cells.length < above.length;
    if (!isContinuation) {
      rows.push(cells.map((cell) => ({ ...cell })));
      continue;
    }
    for (const cell of cells) {
      const target = above.reduce((best, next) =>
        Math.abs(next.x0 - cell.x0) < Math.abs(best.x0 - cell.x0) ? next : best,
      );
      target.text += `\n${cell.text}`;
    }
  }
  return rows.map((cells) => cells.map(({ text }) => text));
}
