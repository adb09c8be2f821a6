import { itemMarker } from '../plain/list-marks.ts';
import { endsInHyphen, isClosed, isUnspaced } from '../plain/script.ts';
import type { Line } from './lines.ts';
import type { Fonts, Page } from './pages.ts';
import { isRightToLeft } from './pieces.ts';
import { tablesOf } from './tables.ts';

/** A paragraph or heading, before it is known which. */
export interface Paragraph {
  text: string;
  /** The page of its first line. */
  page: number;
  lines: Line[];
  kind: 'text' | 'table' | 'lines';
  size: number;
  bold: boolean;
  /** Whether its last line is as long as its column, so that it may go on in the next one. */
  isFull: boolean;
  isIndented: boolean;
}

/** In font sizes: a larger step to the next line than the block's usual one begins a paragraph. */
const STEP = 0.35;
/** In font sizes: the first line of a paragraph is indented by more. */
const INDENT = 0.7;
/** In characters, with marks. */
const USUAL_WORD = 10;

/** Joins the lines of pages to paragraphs. Paragraphs that go on in the next column or on the next page are one. */
export function paragraphsOf(pages: Page[], fonts: Fonts): Paragraph[] {
  const vocabulary = new Vocabulary(pages);
  const paragraphs: Paragraph[] = [];
  for (const { number, blocks } of pages)
    for (const block of blocks) {
      const next = blockParagraphs(block, number, fonts, vocabulary);
      joinFirst(paragraphs, next, vocabulary);
      for (const paragraph of next) paragraphs.push(paragraph);
    }
  return paragraphs;
}

function blockParagraphs(lines: Line[], page: number, fonts: Fonts, vocabulary: Vocabulary): Paragraph[] {
  const block = isRightToLeft(lines.map(({ text }) => text).join('')) ? lines.map(mirrored) : lines;
  const step = usualStep(block);
  const chunks: Line[][] = [];
  for (const line of block) {
    const last = chunks.at(-1)?.at(-1);
    if (last && belongTogether(last, line, step, fonts)) chunks.at(-1)!.push(line);
    else chunks.push([line]);
  }
  const right = Math.max(...block.map(({ x1 }) => x1));
  return chunks.flatMap((chunk) =>
    tablesOf(chunk).flatMap(({ lines, rows }) => {
      const make = (part: Line[], kind: Paragraph['kind'], text: string): Paragraph => ({
        text,
        page,
        lines: part,
        kind,
        size: part[0]!.size,
        bold: part.every(({ font }) => fonts.isBold(font)),
        isFull: part.at(-1)!.x1 > right - 2 * part.at(-1)!.size,
        isIndented: part.length > 1 && part[0]!.x0 - part[1]!.x0 > INDENT * part[0]!.size,
      });
      const joined = (text: string) => joinLines(text.split('\n'), vocabulary);
      if (rows) return [make(lines, 'table', rows.map((cells) => cells.map(joined).join(' | ')).join('\n'))];
      return splitChunk(lines, fonts).map(({ part, keepsLines }) => {
        const texts = part.map(({ text }) => text);
        return keepsLines
          ? make(part, 'lines', texts.map(joined).join('\n'))
          : make(part, 'text', joined(texts.join('\n')));
      });
    }),
  );
}

/** A right-to-left line with its start on the left, so that indents and ends of all lines are measured alike. */
function mirrored(line: Line): Line {
  const mirror = <T extends { x0: number; x1: number }>(part: T): T => ({
    ...part,
    x0: -part.x1,
    x1: -part.x0,
  });
  return { ...mirror(line), cells: line.cells.map(mirror).reverse() };
}

/** The usual distance between lines of a block, in font sizes. */
function usualStep(block: Line[]): number {
  const steps = block
    .slice(1)
    .map((line, i) => (line.y - block[i]!.bottom) / line.size)
    .filter((step) => step > 0.8 && step < 2)
    .sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 3)] ?? 1.2;
}

function belongTogether(last: Line, line: Line, step: number, fonts: Fonts): boolean {
  const ratio = last.size / line.size;
  const distance = (line.y - last.bottom) / Math.max(line.size, last.size);
  if (ratio > 1.12 || ratio < 0.89 || distance <= 0 || distance > step + STEP) return false;
  return fonts.isBold(last.font) === fonts.isBold(line.font) || distance < step + 0.1;
}

/** Splits lines with equal steps at indents, list items and short last lines. */
function splitChunk(lines: Line[], fonts: Fonts): { part: Line[]; keepsLines: boolean }[] {
  const right = Math.max(...lines.map(({ x1 }) => x1));
  const left = usualLeft(lines);
  const fits = lines.map((line, i) => {
    const last = lines[i - 1];
    return last !== undefined && last.x1 + firstWordWidth(line) + 0.3 * line.size < right - 0.5 * line.size;
  });
  const breaks = fits.slice(1).filter(Boolean).length;
  const isCode = lines.filter(({ font }) => fonts.isMonospaced(font)).length > lines.length / 2;
  const items = lines.filter(({ text }) => itemMarker(text) !== undefined).length;
  const isRagged = lines.length > 2 && breaks >= 0.6 * (lines.length - 1) && items < 2;
  if (lines.length > 1 && (isCode || isRagged)) return [{ part: lines, keepsLines: true }];
  const parts: Line[][] = [];
  for (const [i, line] of lines.entries()) {
    const part = parts.at(-1);
    if (part && !begins(line, part, fits[i]!, left, fonts)) part.push(line);
    else parts.push([line]);
  }
  return parts.map((part) => ({ part, keepsLines: false }));
}

function begins(line: Line, part: Line[], fits: boolean, left: number, fonts: Fonts): boolean {
  const first = part[0]!;
  const last = part.at(-1)!;
  const indent = (one: Line, other: { x0: number }) => one.x0 - other.x0 > INDENT * line.size;
  if (itemMarker(line.text) !== undefined && !(part.length > 1 && indent(line, first))) return true;
  // An item of a list or of a bibliography: its first line begins left of the others.
  if (part.length > 1 && indent(part[1]!, first) && Math.abs(line.x0 - first.x0) < 0.3 * line.size)
    return true;
  if (fonts.isBold(line.font) !== fonts.isBold(last.font) && fits) return true;
  if (fits && !(/^\p{Ll}/u.test(line.text) && !isClosed(last.text))) return true;
  const isHanging = itemMarker(first.text) !== undefined || (part.length > 1 && indent(part[1]!, first));
  return (
    !isHanging &&
    indent(line, last) &&
    indent(line, { x0: left }) &&
    (isClosed(last.text) || last.x0 <= left + 1)
  );
}

/** Where most lines begin. */
function usualLeft(lines: Line[]): number {
  const counts = new Map<number, number>();
  for (const { x0 } of lines) counts.set(Math.round(x0 / 2), (counts.get(Math.round(x0 / 2)) ?? 0) + 1);
  const [place] = [...counts].reduce((best, next) => (next[1] > best[1] ? next : best));
  return place * 2;
}

function firstWordWidth({ text, x0, x1 }: Line): number {
  const character = (x1 - x0) / Math.max(1, text.length);
  // Lines of Thai and its neighbours end between words, whose lengths are not known.
  if (isUnspaced(text[0] ?? ''))
    return character * (/^[\p{scx=Han}\p{scx=Kana}]/u.test(text) ? 1 : USUAL_WORD);
  const [word = ''] = text.split(' ', 1);
  return character * word.length;
}

/** Joins the first paragraph of a column to the paragraph of the column before that it continues. Footnotes are skipped. */
function joinFirst(paragraphs: Paragraph[], next: Paragraph[], vocabulary: Vocabulary): void {
  const first = next[0];
  if (first?.kind !== 'text' || itemMarker(first.text) !== undefined) return;
  for (let i = paragraphs.length - 1; i >= Math.max(0, paragraphs.length - 6); i--) {
    const half = paragraphs[i]!;
    if (Math.abs(half.size - first.size) > 0.06 * first.size || half.bold !== first.bold) continue;
    if (!continuesAs(half, first)) return;
    half.text = joinLines([half.text, first.text], vocabulary);
    half.lines.push(...first.lines);
    half.isFull = first.isFull;
    next.shift();
    return;
  }
}

function continuesAs(half: Paragraph, first: Paragraph): boolean {
  if (half.kind !== 'text') return false;
  if (endsInHyphen(half.text) && /^\p{L}/u.test(first.text)) return true;
  if (isClosed(half.text)) return false;
  return (
    /^["'(\p{Pi}]*\p{Ll}/u.test(first.text) || (half.isFull && !first.isIndented && half.lines.length > 1)
  );
}

/** Joins lines with spaces, or without after a hyphen and in scripts without spaces. */
function joinLines(lines: string[], vocabulary: Vocabulary): string {
  const pieces: string[] = [];
  let last = '';
  for (const line of lines) {
    const start = line.match(/^\p{L}[\p{L}\p{M}]*/u)?.[0];
    const word = last.slice(-60).match(/(?:[\p{L}\p{M}]+[-\u2010])*[\p{L}\p{M}]+(?=[-\u00AD\u2010]$)/u)?.[0];
    if (word !== undefined && start !== undefined) {
      const hyphen = last.endsWith('\u00AD') ? '' : vocabulary.hyphen(word, start);
      pieces[pieces.length - 1] = last.slice(0, -1) + hyphen;
    } else if (last !== '' && !joinsDirectly(last, line, vocabulary)) pieces.push(' ');
    pieces.push(line);
    last = line;
  }
  return pieces.join('').replaceAll('\u00AD', '');
}

/** Whether two lines join without a space: in scripts without spaces, or inside a Korean word. */
function joinsDirectly(left: string, right: string, vocabulary: Vocabulary): boolean {
  const hangul = [
    left.slice(-20).match(/\p{Script=Hang}+$/u)?.[0],
    right.slice(0, 20).match(/^\p{Script=Hang}+/u)?.[0],
  ];
  if (hangul[0] && hangul[1]) return vocabulary.dividesWord(hangul[0], hangul[1]);
  const [last = '', first = ''] = [[...left.slice(-2)].at(-1), right[0]];
  // Marks that are as wide as a Han character.
  const wide = /[\u3000-\u303F\uFF00-\uFF60]/u;
  if (wide.test(first) || (isUnspaced(last) && isUnspaced(first))) return true;
  return wide.test(last) && /^[^\p{Script=Latin}\p{N}]/u.test(right);
}

/** A word that no line end divides, with its hyphens. */
const WORD = /[\p{L}\p{M}]+(?:[-\u2010][\p{L}\p{M}]+)*(?![-\u2010]$)/gmu;
/** Words beyond these are no evidence. */
const MAX_WORDS = 200_000;
/** In characters. Syllables are shorter, so that a part this long that is a word itself is one of a compound with a hyphen. */
const MIN_PART = 5;

/** How often words occur in a document, with and without hyphens, away from the ends of lines. */
class Vocabulary {
  readonly #counts = new Map<string, number>();

  constructor(pages: Page[]) {
    for (const { text } of pages.flatMap(({ blocks }) => blocks.flat()))
      for (const [found] of text.toLowerCase().matchAll(WORD)) {
        const word = found.replaceAll('\u2010', '-');
        const count = this.#counts.get(word) ?? 0;
        if (count > 0 || this.#counts.size < MAX_WORDS) this.#counts.set(word, count + 1);
      }
  }

  /** How the parts of a word at the end of a line and at the start of the next line join: with `-`, or without. */
  hyphen(left: string, right: string): '-' | '' {
    const [start, end] = [left.toLowerCase().replaceAll('\u2010', '-'), right.toLowerCase()];
    const hyphenated = this.#counts.get(`${start}-${end}`) ?? 0;
    const joined = this.#counts.get(start + end) ?? 0;
    if (hyphenated !== joined) return hyphenated > joined ? '-' : '';
    const occurs = (word: string) => word.length >= MIN_PART && (this.#counts.get(word) ?? 0) > 1;
    if (occurs(start) && occurs(end)) return '-';
    // A word with hyphens already, or with a capital inside, is rarely divided elsewhere.
    return start.includes('-') || /^\p{Lu}/u.test(right) ? '-' : '';
  }

  /** Whether a line break divides a word, as it may in Korean without a hyphen: the document has the whole word elsewhere. */
  dividesWord(left: string, right: string): boolean {
    return this.#counts.has((left + right).toLowerCase());
  }
}
