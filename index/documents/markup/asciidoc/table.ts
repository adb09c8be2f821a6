/** The sign before a cell, with its span, alignment and style: `2+^a|`. */
const CELL = /(?:^|(?<=\s))(?:\d*(?:\.\d+)?[*+])?(?:[<^>]?(?:\.[<^>])?)[adehlmsv]?(?<!\\)\|/;

/**
 * Rows of a table, from the lines between its delimiters. The number of columns is that of `cols`, else that of the first line.
 * @param separator of cells: `|`, or `,` and `:` of other table formats
 */
export function tableRows(
  lines: string[],
  separator: string,
  cols: string | undefined,
  render: (text: string) => string,
): string[][] {
  const cells: string[] = [];
  let columns = cols === undefined ? 0 : columnsOf(cols);
  for (const line of lines) {
    const [before = '', ...own] = separator === '|' ? line.split(CELL) : ['', ...line.split(separator)];
    if (before.trim() !== '' && cells.length > 0) cells.push(`${cells.pop()} ${before}`);
    if (own.length > 0 && columns === 0) columns = own.length;
    cells.push(...own);
  }
  const rows: string[][] = [];
  for (let i = 0; i < cells.length; i += columns)
    rows.push(
      cells
        .slice(i, i + columns)
        .map((cell) => render(cell.replaceAll('\\|', '|').trim()).replaceAll('\n', ' ')),
    );
  return rows;
}

/** `1,2,3`, `3*`, or `2*,1`. */
function columnsOf(cols: string): number {
  const counts = cols.split(/[,;]/).map((part) => Number(/^\s*(\d{1,3})\*/.exec(part)?.[1] ?? 1));
  return Math.min(
    1_000,
    counts.reduce((sum, count) => sum + count, 0),
  );
}
