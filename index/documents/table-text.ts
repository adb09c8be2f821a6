/** The text of a table: a line per row, with `|` between its cells. */
export function tableText(rows: string[][]): string {
  return rows.map((row) => row.join(' | ')).join('\n');
}
