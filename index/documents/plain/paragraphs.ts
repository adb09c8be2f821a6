import { columns, isClosed, joint } from './script.ts';

/** Markers of list items: `- `, `• `, `1. `, `(a) `, `一、`, `（二）`, `①`. */
const ITEM =
  /^(?:[-*+•‣·–—○□▪▶]\s|[■●◆▲]|[（(]?\d{1,3}[.)）]\s|[（(]?(?:\p{L}|[ivx]{2,4})[)）]\s|[（(]?[一二三四五六七八九十]{1,3}[、）)]|[①-⑳])/u;

/** In columns. Longer lines are whole paragraphs, since no page is this wide. */
const WIDEST_PAGE = 150;
/** In columns. Narrower lines are a name, an address or a list, since no prose is set this narrow. */
const NARROWEST_PAGE = 24;
/** In columns. Verse is rarely wider, but prose may be narrower. */
const WIDEST_VERSE = 60;

/**
 * Splits plain text into paragraphs at blank lines, and joins hard-wrapped lines. Keeps line breaks in lists, verse and addresses.
 * In a block of very long lines, each line is a paragraph.
 */
export function paragraphs(text: string): string[] {
  const blocks = text
    .replace(/\r\n?/g, '\n')
    .replace(/\f/g, '\n\n')
    .split(/\n\s*\n/);
  return blocks
    .flatMap((block) =>
      joinLines(
        block
          .trim()
          .split('\n')
          .map((line) => line.trim()),
      ),
    )
    .filter((text) => text !== '');
}

/**
 * The bullet or number at the start of a list item, or undefined for other lines. Numbers and letters become `0`, so that all items
 * of a list have the same marker.
 */
export function itemMarker(line: string): string | undefined {
  return line.match(ITEM)?.[0].replace(/[\p{L}\p{N}]+/gu, '0');
}

/** Joins lines that were hard-wrapped. */
export function unwrap(lines: string[]): string {
  return joinIf(lines, () => true);
}

function joinLines(lines: string[]): string[] {
  if (lines.length === 1) return lines;
  const widths = lines.map(columns);
  const width = widths.reduce((widest, next) => Math.max(widest, next));
  const items = lines.filter((line) => itemMarker(line) !== undefined).length;
  if (width > WIDEST_PAGE && items < lines.length / 2) return joinLongLines(lines, widths);
  if (width < NARROWEST_PAGE) return [lines.join('\n')];
  // A line was wrapped if the first word of the next line did not fit on it.
  const wrapped = lines.map(
    (line, i) => i > 0 && widths[i - 1]! + firstWordWidth(lines[i - 1]!, line) > width,
  );
  if (items > 1) return [joinIf(lines, (line, i) => wrapped[i]! && itemMarker(line) === undefined)];
  const mostlyWrapped = share(wrapped.slice(1), (isWrapped) => isWrapped) >= 0.75;
  return mostlyWrapped && !(width < WIDEST_VERSE && isVerse(lines)) ? [unwrap(lines)] : [lines.join('\n')];
}

/** Joins a long line without a sentence end to the next line, unless nearly all lines are like that (Thai, logs). */
function joinLongLines(lines: string[], widths: number[]): string[] {
  const isOpen = lines.map((line, i) => widths[i]! > WIDEST_VERSE && !isClosed(line));
  const closed = lines.filter(isClosed).length;
  if (isOpen.filter((open) => open).length > 3 * closed) return lines;
  return joinIf(lines, (_, i) => isOpen[i - 1]!).split('\n');
}

function joinIf(lines: string[], continues: (line: string, index: number) => boolean): string {
  return lines
    .map((line, i) => (i === 0 ? line : (continues(line, i) ? joint(lines[i - 1]!, line) : '\n') + line))
    .join('');
}

/** In verse, nearly every line begins with a capital, or most end with a mark. */
function isVerse(lines: string[]): boolean {
  return (
    share(lines.slice(1), (line) => /^["'\p{Pi}\p{Ps}]*[\p{Lu}\p{N}]/u.test(line)) >= 0.8 ||
    share(lines.slice(0, -1), (line) => /[^\p{Pd}\P{P}]$/u.test(line)) >= 0.5
  );
}

/** The columns that the first word of the next line would have added to a line. */
function firstWordWidth(line: string, next: string): number {
  const space = joint(line, next);
  const word = space === '' ? (next.match(/^\P{L}*\p{L}/u)?.[0] ?? next) : next.split(/\s/, 1)[0]!;
  return columns(space + word);
}

function share<T>(items: T[], test: (item: T) => boolean): number {
  return items.filter(test).length / items.length;
}
