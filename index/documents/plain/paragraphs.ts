import { edge, firstWord, type Line } from './lines.ts';
import { hasDotLeader, itemMarker, quotePrefix } from './list-marks.ts';
import { endsInHyphen, isClosed, joint } from './script.ts';

/** In columns. Longer lines are whole paragraphs, since no page is this wide. */
export const WIDEST_PAGE = 150;
/** In columns. Narrower lines are a name, an address or a list, since no prose is set this narrow. */
const NARROWEST_PAGE = 24;
/** In columns. Verse is rarely wider, but prose may be narrower. */
const WIDEST_VERSE = 60;
/** Few lines do not show the width they are wrapped at, so that of the page counts. */
const FEW_LINES = 3;

/** Joins lines that were hard-wrapped. */
export function unwrap(lines: string[]): string {
  return lines.map((line, i) => (i === 0 ? line : joint(lines[i - 1]!, line) + line)).join('');
}

/**
 * The texts of a block's lines: one, in which lines that were hard-wrapped are joined and others keep their line breaks, or one for
 * each very long line.
 * @param page the column that paragraphs of the text are wrapped at
 */
export function textsOf(lines: Line[], page: number): string[] {
  const texts = lines.map(({ text }) => text);
  if (lines.length === 1) return texts;
  const right = lines.reduce((widest, line) => Math.max(widest, edge(line)), 0);
  if (right > WIDEST_PAGE && !isTable(lines, page)) return joinLongLines(lines);
  const [first, ...rest] = lines;
  // The term of a definition and a label (`Note`) keep their lines.
  const room = (share: number) => edge(first!) + firstWord(rest[0]!) < share * Math.max(right, page);
  const isTerm =
    rest[0]!.indent >= first!.indent + 4
      ? room(0.75)
      : room(0.3) && edge(rest[0]!) > 0.75 * right && right > WIDEST_VERSE;
  if (isTerm) return [`${first!.text}\n${textsOf(rest, page).join('\n')}`];
  return [isWrapped(lines, right, page) ? unwrap(texts.map(single)) : texts.join('\n')];
}

/** Joins a long line without a sentence end to the next line, unless nearly all lines are like that (Thai, logs). */
function joinLongLines(lines: Line[]): string[] {
  const texts = lines.map(({ text }) => text);
  const isEnd = texts.map(isClosed);
  const isOpen = lines.map(({ width }, i) => width > WIDEST_VERSE && !isEnd[i]);
  const closed = isEnd.filter((end) => end).length;
  if (isOpen.filter((open) => open).length > 3 * closed) return texts;
  const joined: string[] = [];
  let paragraph = texts[0]!;
  for (let i = 1; i < texts.length; i++) {
    const text = texts[i]!;
    if (isOpen[i - 1] && itemMarker(text) === undefined) paragraph += joint(texts[i - 1]!, text) + text;
    else {
      joined.push(paragraph);
      paragraph = text;
    }
  }
  return [...joined, paragraph];
}

/** Whether lines were hard-wrapped, rather than broken on purpose. */
function isWrapped(lines: Line[], right: number, page: number): boolean {
  const left = lines.reduce((least, { indent }) => Math.min(least, indent), Number.POSITIVE_INFINITY);
  if (right - left < NARROWEST_PAGE || isTable(lines, page) || isCode(lines)) return false;
  const isNarrow = right - left < WIDEST_VERSE && right < 0.75 * page;
  const width = lines.length <= FEW_LINES && isNarrow ? page : right;
  // A line was wrapped if the first word of the next line did not fit on it.
  const room = lines.slice(1).map((line, i) => width - edge(lines[i]!) - firstWord(line) - 1);
  const full = room.filter((columns, i) => columns < 0 || endsInHyphen(lines[i]!.text)).length;
  if (full >= 0.75 * room.length) return right - left >= WIDEST_VERSE || !isVerse(lines);
  // With letters of different widths, the right edge is ragged. A sentence that goes on shows that the line was wrapped.
  const nearly = right - left < WIDEST_VERSE ? 0 : room.filter((columns) => columns < 0.2 * width).length;
  return nearly >= 0.75 * room.length && share(lines, goesOn) >= 0.6;
}

function goesOn(line: Line, i: number, lines: Line[]): boolean {
  return i === 0 || (!isClosed(lines[i - 1]!.text) && !/^\p{Lu}/u.test(line.text));
}

/** A table has columns, a quoted e-mail marks, and a table of contents dots that lead to a page number. */
function isTable(lines: Line[], page: number): boolean {
  if (lines.some(({ text, isRule }) => isRule || hasDotLeader(text) || quotePrefix(text) !== '')) return true;
  const rows = lines.filter(({ text }) => hasColumns(text)).length;
  return rows >= 0.5 * lines.length && !isJustified(lines, page);
}

/** Whether spaces inside a line are wider than between words or sentences. */
function hasColumns(text: string): boolean {
  if (!text.includes('  ') && !text.includes('\t')) return false;
  return /\S(?: {3,}|\t| {2,}(?![\p{Lu}"“(]))\S/u.test(text.replace(/[.!?:;] {2}/g, '. '));
}

/** In justified text, all lines but the last end in the same column, and spaces are wide anywhere. */
function isJustified(lines: Line[], page: number): boolean {
  return lines.slice(0, -1).every((line) => Math.abs(edge(line) - page) <= 1 && !/\S {6,}\S/.test(line.text));
}

function isCode(lines: Line[]): boolean {
  return share(lines, ({ text }) => isCommand(text)) >= 0.4;
}

function isCommand(text: string): boolean {
  const last = text[text.length - 1]!;
  if (last === ';') return /[()=]/.test(text);
  return '{}\\'.includes(last) || ('$#%'.includes(text[0]!) && text[1] === ' ');
}

/** In verse, nearly every line begins with a capital, or most end with a mark. */
function isVerse(lines: Line[]): boolean {
  return (
    share(lines.slice(1), ({ text }) => /^["'\p{Pi}\p{Ps}]*[\p{Lu}\p{N}]/u.test(text)) >= 0.8 ||
    share(lines.slice(0, -1), ({ text }) => /[^\p{Pd}\P{P}]$/u.test(text)) >= 0.5
  );
}

function single(text: string): string {
  return text.includes('  ') ? text.replace(/ {2,}/g, ' ') : text;
}

function share<T>(items: T[], test: (item: T, index: number, items: T[]) => boolean): number {
  return items.filter(test).length / items.length;
}
