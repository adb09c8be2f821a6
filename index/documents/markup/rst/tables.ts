import { parse } from 'csv-parse/sync';

/** The line above, below or inside a simple table: `=====  ===`. */
export const SIMPLE_BORDER = /^=+(?: +=+)+$/;
export const GRID_BORDER = /^\+(?:[-=]+\+)+$/;

/** Renders the inline markup of a cell. */
type Render = (text: string) => string;

/** Rows of a table with borders of `+`, `-` and `|`, from all of its lines. */
export function gridRows(lines: string[], render: Render): string[][] {
  const rows: string[][] = [];
  let cells: string[] = [];
  const endRow = () => {
    const row = cells.map((cell) => render(cell.trim()));
    if (row.some((cell) => cell !== '')) rows.push(row);
    cells = [];
  };
  for (const line of lines) {
    if (/^[|+].*\+[-=]+[+|]/.test(line) || GRID_BORDER.test(line)) {
      endRow();
      continue;
    }
    line
      .replace(/^\||\|$/g, '')
      .split(/(?<=\s)\||\|(?=\s)/)
      .forEach((cell, i) => {
        cells[i] = `${cells[i] ?? ''} ${cell.trim()}`;
      });
  }
  endRow();
  return rows;
}

/** Rows of a table whose columns are below the `=` of its border, from the lines between the first and the last border. */
export function simpleRows(border: string, lines: string[], render: Render): string[][] {
  const columns = [...border.matchAll(/=+/g)].map(({ index, 0: { length } }, i, all) => ({
    start: index,
    end: i + 1 < all.length ? index + length : undefined,
  }));
  const rows: string[][] = [];
  let afterBlank = true;
  for (const line of lines) {
    if (SIMPLE_BORDER.test(line) || /^-+(?: +-+)*$/.test(line)) continue;
    if (line.trim() === '') {
      afterBlank = true;
      continue;
    }
    const cells = columns.map(({ start, end }) => line.slice(start, end).trim());
    const last = rows.at(-1);
    if (cells[0] === '' && last && !afterBlank)
      for (const [i, cell] of cells.entries()) last[i] = `${last[i]} ${cell}`.trim();
    else rows.push(cells);
    afterBlank = false;
  }
  return rows.map((row) => row.map(render));
}

/** Rows of a `csv-table` directive. */
export function csvRows(text: string, delimiter: string, render: Render): string[][] {
  const options = {
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
  };
  try {
    const rows: string[][] = parse(text, options);
    return rows.map((row) => row.map(render));
  } catch {
    return text.split('\n').map((line) => [render(line)]);
  }
}

/** Rows of a `list-table` directive: a list of lists. */
export function listRows(lines: string[], render: Render): string[][] {
  const rows: string[][] = [];
  for (const line of lines) {
    const [, starts, cell, text = ''] = /^(?:([*+-])[ ]+)?(?:[ ]*([*+-])(?:[ ]+|$))?(.*)$/.exec(line) ?? [];
    if (starts) rows.push([]);
    const row = rows.at(-1);
    if (cell && /^[ ]*[*+-]/.test(starts ? line.slice(1) : line)) row?.push(text);
    else if (row && row.length > 0) row[row.length - 1] = `${row.at(-1)} ${line.trim()}`.trim();
  }
  return rows.map((row) => row.map((cell) => render(cell.trim())));
}
