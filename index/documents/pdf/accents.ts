import type { Page } from './pages.ts';

/** Accents that old TeX fonts have as characters of their own, and those that Unicode combines with letters. */
const COMBINING = new Map([
  ['´', '\u0301'],
  ['`', '\u0300'],
  ['ˋ', '\u0300'],
  ['ˆ', '\u0302'],
  ['¨', '\u0308'],
  ['˜', '\u0303'],
  ['ˇ', '\u030C'],
  ['˘', '\u0306'],
  ['¯', '\u0304'],
  ['˙', '\u0307'],
  ['˚', '\u030A'],
  ['˝', '\u030B'],
  ['¸', '\u0327'],
  ['˛', '\u0328'],
]);

const ACCENTED = /([´`ˋˆ¨˜ˇ˘¯˙˚˝¸˛]) ?([\p{Script=Latin}])/gu;
const CEDILLA = /([cstCST])([¸˛])/gu;
/** A grave accent also begins quotations, but other accents between letters occur only as accents. */
const CERTAIN = /\p{L}[´ˆ¨ˇ][\p{L}]/u;
/** Lines with certain accents, from which on all are. */
const MIN_LINES = 3;

/** Combines letters with accents that were printed over them, if the document has such. */
export function composeAccents(pages: Page[]): void {
  const lines = pages.flatMap(({ blocks }) => blocks.flat());
  let certain = 0;
  for (const { text } of lines) if (CERTAIN.test(text)) certain++;
  if (certain < MIN_LINES) return;
  for (const line of lines) {
    line.text = compose(line.text);
    for (const cell of line.cells) cell.text = compose(cell.text);
  }
}

function compose(text: string): string {
  return text
    .replace(CEDILLA, (_, letter: string, accent: string) => letter + COMBINING.get(accent)!)
    .replace(ACCENTED, (whole, accent: string, letter: string) => {
      const base = letter === 'ı' ? 'i' : letter === 'ȷ' ? 'j' : letter;
      const composed = (base + COMBINING.get(accent)!).normalize('NFC');
      return composed.length === 1 ? composed : whole;
    })
    .normalize('NFC');
}
