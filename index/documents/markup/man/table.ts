/** A row that is a line: `_`, `=`, or a request such as `.ft`. */
const RULE = /^(?:[_=]|\\_|[.'].*)$/;

/**
 * The rows of a table of tbl(1), from the lines between `.TS` and `.TE`. Formats are skipped, text blocks (`T{` … `T}`) become one cell.
 * @param plain replaces the escape sequences of a cell
 */
export function tblRows(lines: string[], plain: (text: string) => string): string[][] {
  let separator = '\t';
  let isFormat = true;
  const rows: string[][] = [];
  let row: string[] = [];
  let block: string[] | undefined;
  const endRow = () => {
    const cells = row.map((cell) => plain(cell).replace(/\s+/g, ' ').trim());
    if (cells.some((cell) => cell !== ''))
      rows.push(cells.map((cell) => (cell === '\\^' || /^[_=]$/.test(cell) ? '' : cell)));
    row = [];
  };
  for (const line of lines) {
    if (isFormat) {
      separator = /tab[ \t]*\((.)\)/.exec(line)?.[1] ?? separator;
      if (/\.\s*$/.test(line) && !/;\s*$/.test(line)) isFormat = false;
      continue;
    }
    if (block) {
      if (!line.startsWith('T}')) {
        block.push(line.replace(/^[.'][ \t]*(?:[BIR]|SM|SB|BR|IR|RB|RI|BI|IB)?[ \t]+|^[.'].*$/, ''));
        continue;
      }
      row.push(block.join(' '));
      block = undefined;
      const after = line.slice(2);
      if (after.startsWith(separator)) block = cellsInto(row, after.slice(1).split(separator));
      if (!block) endRow();
      continue;
    }
    if (/^\.T&/.test(line)) isFormat = true;
    if (RULE.test(line.trimEnd())) continue;
    block = cellsInto(row, line.split(separator));
    if (!block) endRow();
  }
  endRow();
  return rows;
}

/** Appends cells to a row. If the last one begins a text block, returns the block's lines. */
function cellsInto(row: string[], cells: string[]): string[] | undefined {
  const opens = cells.at(-1)?.trim() === 'T{';
  row.push(...(opens ? cells.slice(0, -1) : cells));
  return opens ? [] : undefined;
}
