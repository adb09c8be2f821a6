import type { Line } from './lines.ts';
import type { Page } from './pages.ts';

/** Rows at the top and at the bottom of a page that may be running heads. */
const ROWS = 3;
/** In points. Running heads are in the same place on each page. */
const SAME_PLACE = 2;
/** Pages that must have the same running head. */
const MIN_PAGES = 3;

interface Row {
  lines: Line[];
  y: number;
  size: number;
  /** Distance to the next row towards the middle of the page. */
  gap: number;
}

interface Edge {
  page: number;
  /** From the outside in. */
  rows: Row[];
}

/** Removes running heads, footers and page numbers: rows that recur at the same place of other pages. */
export function withoutFurniture(pages: Page[]): Page[] {
  const dropped = new Set<Line>();
  const sizes = pages[0]?.blocks.flat().map(({ size }) => size) ?? [];
  const titleSize = Math.max(...sizes, 1.1 * Math.min(...sizes));
  for (const side of ['top', 'bottom'] as const) {
    const edges = pages.map((page): Edge => ({ page: page.number, rows: edgeRows(page, side) }));
    for (const line of recurringLines(edges, titleSize)) dropped.add(line);
  }
  return pages.map(({ number, blocks }) => ({
    number,
    blocks: blocks
      .map((block) => block.filter((line) => !dropped.has(line)))
      .filter(({ length }) => length > 0),
  }));
}

function edgeRows(page: Page, side: 'top' | 'bottom'): Row[] {
  const lines = page.blocks.flat().sort((one, other) => one.y - other.y);
  const rows: Row[] = [];
  for (const line of lines) {
    const row = rows.at(-1);
    if (row && line.y - row.y < 0.4 * line.size) row.lines.push(line);
    else rows.push({ lines: [line], y: line.y, size: line.size, gap: 0 });
  }
  if (side === 'bottom') rows.reverse();
  for (const [i, row] of rows.entries())
    row.gap = i + 1 < rows.length ? Math.abs(rows[i + 1]!.y - row.y) : Number.POSITIVE_INFINITY;
  return rows.slice(0, ROWS);
}

/** `titleSize` is the largest font of the first page, whose text may recur but is the title. */
function recurringLines(edges: Edge[], titleSize: number): Line[] {
  const found = new Map<string, Set<number>>();
  const each = edges.flatMap(({ page, rows }) => rows.map((row) => ({ page, row })));
  for (const { page, row } of each)
    for (const place of places(row.y))
      for (const key of keysOf(row, page)) {
        const pages = found.get(`${place} ${key}`) ?? new Set();
        found.set(`${place} ${key}`, pages.add(page));
      }
  const least = Math.min(MIN_PAGES, Math.max(2, edges.length));
  // Running heads are on pages that follow each other, or on every second page.
  const recurs = (pages: Set<number> | undefined, page: number) =>
    pages !== undefined && pages.size >= least && [-2, -1, 1, 2].some((step) => pages.has(page + step));
  const center = (row: Row) => Math.round(row.y / SAME_PLACE);
  const isConfirmed = (page: number, row: Row) =>
    keysOf(row, page).some((key) => recurs(found.get(`${center(row)} ${key}`), page));
  const confirmed = new Map<number, number>();
  for (const { page, row } of each)
    if (isConfirmed(page, row))
      for (const place of places(row.y)) confirmed.set(place, (confirmed.get(place) ?? 0) + 1);
  // Where most pages have a running head, a row apart from the text is one too, although its text is on this page only.
  const isUsual = (row: Row) =>
    (confirmed.get(center(row)) ?? 0) > Math.max(3, edges.length / 3) && isApart(row);
  const dropped: Line[] = [];
  // After the running head comes the text, which may be the same on several pages, too.
  for (const { page, rows } of edges)
    for (const row of rows) {
      if (row.size >= titleSize && page === edges[0]!.page) break;
      if (!isConfirmed(page, row) && !isUsual(row)) break;
      dropped.push(...row.lines);
      if (isApart(row)) break;
    }
  return dropped;
}

/** Whether there is more space after a row than between lines. */
function isApart({ gap, size }: Row): boolean {
  return gap > 1.5 * size;
}

/** Neighbouring places count as one, because rounding may part them. */
function places(y: number): number[] {
  const place = Math.round(y / SAME_PLACE);
  return [place - 1, place, place + 1];
}

/**
 * What may recur in a row: its texts, as they are and with a number relative to the page, such as `page #0 of 9`; and the number at
 * the start or at the end, which may be that of the page.
 */
function keysOf(row: Row, page: number): string[] {
  const relative = (digits: string) => `#${Number(digits) - page}`;
  return row.lines.flatMap((line) =>
    line.cells.flatMap((cell) => {
      const text = cell.text.toLowerCase();
      const numbers = [
        text.match(/^\P{L}{0,3}?(\d{1,5})(?!\d)/u)?.[1],
        text.match(/(?<!\d)(\d{1,5})\P{L}{0,3}$/u)?.[1],
      ].flatMap((digits) => (digits === undefined ? [] : [relative(digits)]));
      if (!/\p{L}.*\p{L}/u.test(text)) return numbers;
      return [text, text.replace(/\d{1,5}/, relative), text.replace(/\d{1,5}(?=\D*$)/, relative), ...numbers];
    }),
  );
}

/** Shorter files are not books. */
const MIN_BOOK = 8;
/** Entries of a page, and the share of its lines that they are at least. */
const MIN_ENTRIES = 8;
const MOST = 0.6;
/** Tables of contents are in the first part of a book, and indexes in the last: shares of its pages. */
const FRONT = 0.3;
const BACK = 0.7;
/** Share of the entries that follow the one before: by page in a table of contents, by letter in an index. */
const IN_ORDER_OF_PAGES = 0.9;
const IN_ORDER_OF_LETTERS = 0.7;

/** A line that ends with numbers of pages. */
interface Entry {
  line: Line;
  /** Its first letter in lower case, or ''. */
  letter: string;
  first: number;
}

/** Removes tables of contents and indexes, but keeps other lines of the first page, which has the title. */
export function withoutContents(pages: Page[]): Page[] {
  if (pages.length < MIN_BOOK) return pages;
  const last = pages.at(-1)!.number;
  return pages.flatMap(({ number, blocks }, i) => {
    const lines = blocks.flat();
    const entries = lines.flatMap((line) => entryOf(line, last));
    const isMost = entries.length >= MIN_ENTRIES && entries.length >= MOST * lines.length;
    const isContents =
      number <= FRONT * last && inOrder(entries, (a, b) => a.first <= b.first) >= IN_ORDER_OF_PAGES;
    const isIndex =
      number >= BACK * last && inOrder(entries, (a, b) => a.letter <= b.letter) >= IN_ORDER_OF_LETTERS;
    if (!isMost || !(isContents || isIndex)) return [{ number, blocks }];
    if (i > 0) return [];
    const removed = new Set(entries.map(({ line }) => line));
    return [{ number, blocks: blocks.map((block) => block.filter((line) => !removed.has(line))) }];
  });
}

/** `Nets and rope 12`, `nets, 3, 12–14`. Pages before the first have Roman numbers. */
function entryOf(line: Line, last: number): Entry[] {
  const match = /(?:^|[^\d.,])[\s,.]+(\d{1,4}|[ivxl]{1,6})(?:(?:, ?|[–-])\d{1,4}){0,20}$/u.exec(
    line.text.slice(-200),
  );
  if (!match) return [];
  const first = /\d/.test(match[1]!) ? Number(match[1]) : 0;
  const letter = /\p{L}/u.exec(line.text)?.[0].toLowerCase() ?? '';
  return first > last ? [] : [{ line, letter, first }];
}

/** The share of entries that are in order with the one before. */
function inOrder(entries: Entry[], isOrdered: (before: Entry, after: Entry) => boolean): number {
  const pairs = entries.slice(1).filter((entry, i) => isOrdered(entries[i]!, entry));
  return pairs.length / Math.max(1, entries.length - 1);
}
