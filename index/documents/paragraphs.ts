import { columns, isClosed, joint } from './script.ts';

/** What a list's items start with: `- `, `• `, `1. `, `(a) `, `一、`, `（二）`, `①`. */
const ITEM =
  /^(?:[-*+•‣·–—○□▪▶]\s|[■●◆▲]|[（(]?\d{1,3}[.)）]\s|[（(]?(?:\p{L}|[ivx]{2,4})[)）]\s|[（(]?[一二三四五六七八九十]{1,3}[、）)]|[①-⑳])/u;

/** Columns. No page is set wider than this: lines so long are paragraphs, one a line. */
const WIDEST_PAGE = 150;
/** Columns. No prose is set narrower than this: such lines are a name, an address, a list. */
const NARROWEST_PAGE = 24;
/** Columns. Prose may be set as narrow as verse, but verse is seldom as wide as this. */
const WIDEST_VERSE = 60;

/**
 * The paragraphs of a plain text, in order: its blocks between blank lines, where hard-wrapped lines are made one.
 * A line break stays where it means something: in lists, verse, addresses. A block of very long lines is as many
 * paragraphs.
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
 * The bullet or number that a line starts with, as a list's item does, or undefined. Numbers and letters are written
 * `0`, so that the items of one list have one marker.
 */
export function itemMarker(line: string): string | undefined {
  return line.match(ITEM)?.[0].replace(/[\p{L}\p{N}]+/gu, '0');
}

/** Makes one line of lines that only the width of a page broke. */
export function unwrap(lines: string[]): string {
  return glue(lines, () => true);
}

function joinLines(lines: string[]): string[] {
  if (lines.length === 1) return lines;
  const widths = lines.map(columns);
  const width = widths.reduce((widest, next) => Math.max(widest, next));
  const items = lines.filter((line) => itemMarker(line) !== undefined).length;
  if (width > WIDEST_PAGE && items < lines.length / 2) return joinLongLines(lines, widths);
  if (width < NARROWEST_PAGE) return [lines.join('\n')];
  // A break is the page's doing where the first word of the next line had no room left.
  const forced = lines.map(
    (line, i) => i > 0 && widths[i - 1]! + firstWordWidth(lines[i - 1]!, line) > width,
  );
  if (items > 1) return [glue(lines, (line, i) => forced[i]! && itemMarker(line) === undefined)];
  const mostlyForced = share(forced.slice(1), (isForced) => isForced) >= 0.75;
  return mostlyForced && !(width < WIDEST_VERSE && isVerse(lines)) ? [unwrap(lines)] : [lines.join('\n')];
}

/**
 * A long line that stops short of its sentence's end goes on in the next, unless nearly all lines do so (Thai, a
 * log).
 */
function joinLongLines(lines: string[], widths: number[]): string[] {
  const stopsShort = lines.map((line, i) => widths[i]! > WIDEST_VERSE && !isClosed(line));
  const closed = lines.filter(isClosed).length;
  if (stopsShort.filter((stops) => stops).length > 3 * closed) return lines;
  return glue(lines, (_, i) => stopsShort[i - 1]!).split('\n');
}

function glue(lines: string[], continues: (line: string, index: number) => boolean): string {
  return lines
    .map((line, i) => (i === 0 ? line : (continues(line, i) ? joint(lines[i - 1]!, line) : '\n') + line))
    .join('');
}

/** Verse begins nearly every line with a capital, or ends most of them with a mark. */
function isVerse(lines: string[]): boolean {
  return (
    share(lines.slice(1), (line) => /^["'\p{Pi}\p{Ps}]*[\p{Lu}\p{N}]/u.test(line)) >= 0.8 ||
    share(lines.slice(0, -1), (line) => /[^\p{Pd}\P{P}]$/u.test(line)) >= 0.5
  );
}

/** Columns that a line would have grown by to take in the next one's first word. */
function firstWordWidth(line: string, next: string): number {
  const space = joint(line, next);
  const word = space === '' ? (next.match(/^\P{L}*\p{L}/u)?.[0] ?? next) : next.split(/\s/, 1)[0]!;
  return columns(space + word);
}

function share<T>(items: T[], test: (item: T) => boolean): number {
  return items.filter(test).length / items.length;
}
