import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { cleanText } from './characters.ts';

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

/** Pieces of a page that have the same direction, turned so that lines run from left to right. */
export interface Layer {
  width: number;
  height: number;
  pieces: Piece[];
}

/** The most runs of characters that are read from a page. */
const MAX_ITEMS = 100_000;
/** In bytes. It stands for a few glyphs. */
const MAX_ACTUAL_TEXT = 400;
/** How deep marked content may be nested. */
const MAX_SPANS = 100;

/** The pieces of a page. Text in another direction, such as a table on its side, is a layer of its own. */
export async function layersOf(page: PDFPageProxy): Promise<{ layers: Layer[]; isComplete: boolean }> {
  const { transform: view, width, height } = page.getViewport({ scale: 1 });
  const turns = new Map<number, Piece[]>();
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
      const matrix = multiply(view, item.transform);
      const isVertical = styles[item.fontName]?.vertical === true;
      const turn = isVertical ? 1 : turnOf(matrix);
      const placed = place(item, matrix, turn, isVertical, { width, height });
      if (placed === undefined) continue;
      const pieces = turns.get(turn) ?? [];
      turns.set(turn, pieces);
      const piece = { ...placed, font: item.fontName, order: count };
      pieces.push(piece);
      spans.find((span) => span !== undefined)?.pieces.push(piece);
    }
  }
  await reader.cancel(new Error('The page has been read.')).catch(() => {});
  const layers = [...turns]
    .map(([turn, pieces]) => ({ turn, pieces: pieces.filter(({ text }) => text !== '') }))
    .filter(({ pieces }) => pieces.length > 0)
    .map(({ turn, pieces }) =>
      turn % 2 === 0 ? { width, height, pieces } : { width: height, height: width, pieces },
    );
  layers.sort((left, right) => right.pieces.length - left.pieces.length);
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
  if (text.startsWith('\xFE\xFF'))
    return bytes
      .subarray(2, bytes.length & ~1)
      .swap16()
      .toString('utf16le');
  if (text.startsWith('\xFF\xFE')) return bytes.subarray(2).toString('utf16le');
  return text.startsWith('\xEF\xBB\xBF') ? bytes.subarray(3).toString('utf8') : text;
}

interface TextItem {
  str: string;
  width: number;
  height: number;
}

function place(
  item: TextItem,
  matrix: number[],
  turn: number,
  isVertical: boolean,
  page: { width: number; height: number },
): Omit<Piece, 'font' | 'order'> | undefined {
  const [a, b, c, d, e, f] = matrix as [number, number, number, number, number, number];
  const size = Math.hypot(c, d) || Math.hypot(a, b);
  const text = cleanText(item.str);
  const length = isVertical ? item.height : item.width;
  if (![e, f, size, length].every(Number.isFinite) || size === 0) return undefined;
  // A quarter turn clockwise maps (x, y) to (y, width - x).
  const [x, y] = [
    [e, f],
    [f, page.width - e],
    [page.width - e, page.height - f],
    [page.height - f, e],
  ][turn]!;
  return { text, x0: x!, x1: x! + Math.abs(length), y: y!, size };
}

/** How many quarters the direction of writing is turned clockwise. */
function turnOf([a, b]: number[]): number {
  if (Math.abs(a!) >= Math.abs(b!)) return a! >= 0 ? 0 : 2;
  return b! > 0 ? 1 : 3;
}

function multiply(m: number[], n: number[]): number[] {
  return [
    m[0]! * n[0]! + m[2]! * n[1]!,
    m[1]! * n[0]! + m[3]! * n[1]!,
    m[0]! * n[2]! + m[2]! * n[3]!,
    m[1]! * n[2]! + m[3]! * n[3]!,
    m[0]! * n[4]! + m[2]! * n[5]! + m[4]!,
    m[1]! * n[4]! + m[3]! * n[5]! + m[5]!,
  ];
}
