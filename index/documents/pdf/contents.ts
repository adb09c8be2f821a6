import type { Line } from './lines.ts';
import type { Page } from './pages.ts';

/** Shorter files are not books. */
const MIN_PAGES = 8;
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
  if (pages.length < MIN_PAGES) return pages;
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
