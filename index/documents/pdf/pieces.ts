import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { pdfJs } from './open.ts';

/** A run of characters on a page. Coordinates are in points; `y` grows downwards. */
export interface Piece {
  text: string;
  /** Left and right end. */
  x0: number;
  x1: number;
  /** Where the letters stand. */
  y: number;
  /** Of the font, in points. */
  size: number;
  /** The name that pdf.js gave the font. */
  font: string;
  /** Position in the content of the page, which usually is the order of reading. */
  order: number;
}

type Matrix = [number, number, number, number, number, number];

/** The most runs of characters that are read from a page. */
const MAX_ITEMS = 100_000;
/** In bytes. It stands for a few glyphs. */
const MAX_ACTUAL_TEXT = 400;
/** How deep marked content may be nested. */
const MAX_SPANS = 100;

/**
 * The pieces of a page. Text in another direction, such as a table on its side, is a layer of its own, turned so that lines run from
 * left to right.
 */
export async function layersOf(page: PDFPageProxy): Promise<{ layers: Piece[][]; isComplete: boolean }> {
  const { Util } = await pdfJs();
  const view = page.getViewport({ scale: 1 });
  const turns: Piece[][] = [[], [], [], []];
  const spans: (Span | undefined)[] = [];
  let count = 0;
  const reader = page
    .streamTextContent({ disableNormalization: true, includeMarkedContent: true })
    .getReader();
  for (let next = await reader.read(); !next.done && count <= MAX_ITEMS; next = await reader.read()) {
    const { items, styles } = next.value;
    for (const item of items) {
      if (++count > MAX_ITEMS) break;
      if (!('str' in item)) {
        mark(item, spans);
        continue;
      }
      const [a, b, c, d, e, f] = Util.transform(view.transform, item.transform) as Matrix;
      const isVertical = styles[item.fontName]?.vertical === true;
      const size = Math.hypot(c, d) || Math.hypot(a, b);
      const length = Math.abs(isVertical ? item.height : item.width);
      if (![e, f, size, length].every(Number.isFinite) || size === 0) continue;
      const turn = isVertical ? 1 : turnOf(a, b);
      // A quarter turn clockwise maps (x, y) to (y, width - x).
      const [x0, y] = (
        [
          [e, f],
          [f, view.width - e],
          [view.width - e, view.height - f],
          [view.height - f, e],
        ] as const
      )[turn]!;
      const text = cleanText(item.str);
      const piece = { text, x0, x1: x0 + length, y, size, font: item.fontName, order: count };
      turns[turn]!.push(piece);
      spans.find((span) => span !== undefined)?.pieces.push(piece);
    }
  }
  await reader.cancel(new Error('The page has been read.')).catch(() => {});
  const layers = turns
    .map((pieces) => pieces.filter(({ text }) => text !== ''))
    .filter(({ length }) => length > 0)
    .sort((one, other) => other.length - one.length);
  return { layers, isComplete: count <= MAX_ITEMS };
}

/** Marked content that says what its text actually is, for glyphs that do not. */
interface Span {
  text: string;
  pieces: Piece[];
}

/** Opens or closes marked content. The outermost one counts. */
function mark(item: { type: string; actualText?: unknown }, spans: (Span | undefined)[]): void {
  if (item.type !== 'endMarkedContent') {
    const { actualText } = item;
    const isText = typeof actualText === 'string' && actualText.length <= MAX_ACTUAL_TEXT;
    // Deeper than this, the content is made up.
    if (spans.length < MAX_SPANS)
      spans.push(isText ? { text: decodeText(actualText), pieces: [] } : undefined);
    return;
  }
  const span = spans.pop();
  if (!span || spans.some((outer) => outer !== undefined)) return;
  const pieces = span.pieces.filter(({ text }) => !/^\s+$/u.test(text));
  const [first] = pieces;
  // Text of several lines is better as it is, because its lines have places.
  if (!first || pieces.some(({ y }) => Math.abs(y - first.y) > 0.5 * first.size)) return;
  first.text = cleanText(span.text);
  first.x1 = Math.max(...pieces.map(({ x1 }) => x1));
  first.x0 = Math.min(...pieces.map(({ x0 }) => x0));
  for (const piece of pieces.slice(1)) piece.text = '';
}

/** Decodes a text string of a PDF file. */
function decodeText(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  if (text.startsWith('\xFE\xFF')) return new TextDecoder('utf-16be').decode(bytes);
  return text.startsWith('\xEF\xBB\xBF') ? new TextDecoder().decode(bytes) : text;
}

/** How many quarters the direction of writing is turned clockwise. */
function turnOf(a: number, b: number): number {
  if (Math.abs(a) >= Math.abs(b)) return a >= 0 ? 0 : 2;
  return b > 0 ? 1 : 3;
}

/** Ligatures and other forms that fonts have for letters: Latin and Armenian, Hebrew, Arabic, Han. */
const FORMS =
  /[\uFB00-\uFB06\uFB13-\uFB17\uFB1D-\uFDFF\uFE70-\uFEFC\u2E80-\u2FDF\uF900-\uFAFF\u{2F800}-\u{2FA1F}]+/gu;

/** What carries no text: controls, private use, zero-width characters. A soft hyphen stays, because it ends lines. */
const NOTHING = /[\p{Cc}\p{Co}\u200B\u2060\uFEFF\uFFFD-\uFFFF]+/gu;

/** Radicals that fonts have in place of the same Han characters, which NFKC keeps. From Unicode's EquivalentUnifiedIdeograph. */
const RADICALS = new Map(
  '⺁厂⺄乙⺅亻⺆冂⺇几⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎尢⺏尣⺐尢⺒巳⺓幺⺔彑⺖忄⺗心⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺨犭⺩王⺪疋⺫目⺬示⺭礻⺮竹⺯糹⺱罒⺲罒⺳罓⺵羊⺸羊⺹耂⺺肀⺼月⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻈讠⻉贝⻋车⻌辶⻍辶⻎辶⻏邑⻐钅⻑長⻒镸⻓长⻔门⻕阜⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻟食⻠饣⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻬齐⻭歯⻮齿⻰龙⻲亀⻳龟'
    .match(/../gu)
    ?.map((pair): [string, string] => [pair[0]!, pair.slice(1)]),
);

/** Replaces ligatures and forms by their letters, and removes what carries no text. */
function cleanText(text: string): string {
  return text
    .replace(FORMS, (form) =>
      form.normalize('NFKC').replace(/[\u2E80-\u2EFF]/g, (radical) => RADICALS.get(radical) ?? radical),
    )
    .replace(/\s/gu, ' ')
    .replace(NOTHING, '');
}

const RTL = /[\p{Script=Hebr}\p{Script=Arab}\p{Script=Syrc}\p{Script=Thaa}\p{Script=Nkoo}]/gu;
const LETTER = /\p{L}/gu;

/** Whether most letters are of a script that is written from right to left. */
export function isRightToLeft(text: string): boolean {
  const rtl = text.match(RTL)?.length ?? 0;
  return rtl > 0 && rtl * 2 > (text.match(LETTER)?.length ?? 0);
}

/** Puts runs that are sorted from left to right into the order of reading. In a right-to-left line, words of other scripts keep their order. */
export function logicalOrder<T extends { text: string }>(runs: T[]): T[] {
  if (!isRightToLeft(runs.map(({ text }) => text).join(''))) return reverseRuns(runs, isRightToLeft);
  return reverseRuns([...runs].reverse(), (text) => /[\p{L}\p{N}]/u.test(text) && !isRightToLeft(text));
}

/** Reverses each sequence of runs that match, with what is between them. */
function reverseRuns<T extends { text: string }>(runs: T[], matches: (text: string) => boolean): T[] {
  const result: T[] = [];
  for (let i = 0; i < runs.length; i++) {
    if (!matches(runs[i]!.text)) {
      result.push(runs[i]!);
      continue;
    }
    let end = i;
    for (let j = i + 1; j < runs.length; j++) {
      if (matches(runs[j]!.text)) end = j;
      else if (/[\p{L}\p{N}]/u.test(runs[j]!.text)) break;
    }
    for (let j = end; j >= i; j--) result.push(runs[j]!);
    i = end;
  }
  return result;
}
