import { parse } from 'csv-parse/sync';

/** Marks of inline text in one pass. Alternatives end at the next mark of their kind, so that the time is linear. */
const MARKS = new RegExp(
  [
    /\\([\s\S])/, // 1 escaped character
    /``([^`]+(?:`[^`]+)*)``/, // 2 literal
    /:([a-zA-Z][\w:.+-]{0,60}):`((?:[^`\\]|\\[\s\S])+)`(?:__?)?/, // 3 and 4 role before its text
    /_?`((?:[^`\\]|\\[\s\S])+)`(?::[a-zA-Z][\w:.+-]{0,60}:|__?)?/, // 5 reference, target, or role after its text
    /\*\*(?=\S)([^*]+)\*\*/, // 6 strong
    /(?<![\p{L}\p{N}])\*(?=[^\s*])([^*]+)\*(?![\p{L}\p{N}])/u, // 7 emphasis
    /\|([^|\s](?:[^|\n]{0,200}[^|\s])?)\|(?:__?)?/, // 8 substitution
    /[ ]?\[(?:\d+|#[\w-]*|\*)\]_/, // a footnote reference
    /\[([\w.:-]+)\]_/, // 9 citation
    /(?<![\p{L}\p{N}_])([\p{L}\p{N}](?:[\p{L}\p{N}]|[-.+:](?=[\p{L}\p{N}])){0,80})__?(?![\p{L}\p{N}_])/u, // 10 reference of one word
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);

/** Replaces the inline markup of reStructuredText by its text. `substitutions` are the values of `|name|`. */
export function inlineRst(text: string, substitutions: ReadonlyMap<string, string>): string {
  return text.replace(
    MARKS,
    (all, escaped, literal, role, roleContent, reference, strong, emphasis, substitution, citation, word) => {
      if (escaped !== undefined) return /\s/.test(escaped) ? '' : escaped;
      if (literal !== undefined) return literal;
      if (role !== undefined)
        return (/^(?:pep|rfc)$/.test(role) ? `${role.toUpperCase()} ` : '') + roleText(roleContent);
      if (reference !== undefined) return roleText(reference);
      if (substitution !== undefined) return substitutions.get(substitution) ?? all;
      if (citation !== undefined) return `[${citation}]`;
      return strong ?? emphasis ?? word ?? '';
    },
  );
}

/** `text <target>` is its text. `~` shortens a dotted name to its last part. */
function roleText(text: string): string {
  const titled = /^([^<]*[^<\s])\s*<[^<>]*>$/s.exec(text)?.[1];
  const shown = titled ?? text.replace(/^<([^<>]*)>$/s, '$1').replace(/^!?(?:~(?:.*\.)?)?/, '');
  return shown.replace(/\\(.)/gs, '$1');
}

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
  const relaxed = { relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true };
  try {
    const rows: string[][] = parse(text, { delimiter, ...relaxed });
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

/** Removes the indentation that all lines with text have in common, but at most `most` columns. */
export function dedent(lines: string[], most = Number.POSITIVE_INFINITY): string[] {
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const common = indents.reduce((least, next) => Math.min(least, next), most);
  return common === Number.POSITIVE_INFINITY ? lines : lines.map((line) => line.slice(common));
}

/** The line after those from `start` on that match. */
export function runEnd(lines: string[], start: number, matches: (line: string) => boolean): number {
  let end = start;
  while (end < lines.length && matches(lines[end]!)) end++;
  return end;
}

/** The line after an indented block: the next one without indentation. */
export function blockEnd(lines: string[], start: number): number {
  return runEnd(lines, start, (line) => line === '' || line.startsWith(' '));
}

export function blankAfter(lines: string[], start: number): number {
  return runEnd(lines, start, (line) => line !== '');
}

/** Removes blank lines at the start and at the end. */
export function trimBlank(lines: string[]): string[] {
  const hasText = (line: string) => line.trim() !== '';
  const start = lines.findIndex(hasText);
  return start < 0 ? [] : lines.slice(start, lines.findLastIndex(hasText) + 1);
}

/** The id that docutils makes of a name or title: ASCII letters, digits and hyphens. */
export function makeId(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
}

/** Replaces tabs by spaces up to the next multiple of 8 columns. */
export function expandTabs(line: string): string {
  const parts = line.split('\t');
  const last = parts.pop()!;
  return parts.map((part) => part.padEnd(8 * (Math.floor(part.length / 8) + 1))).join('') + last;
}
