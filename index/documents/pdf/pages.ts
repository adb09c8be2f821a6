import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { Input } from '../input.ts';
import { blocksInOrder } from './columns.ts';
import { type Line, linesOf, segmentsOf } from './lines.ts';
import { pdfJs } from './open.ts';
import { isRightToLeft, layersOf, type Piece } from './pieces.ts';

/** A page as blocks of lines, in the order of reading. */
export interface Page {
  /** From 1. */
  number: number;
  blocks: Line[][];
}

/** What the pages of a file contain. */
interface Pages {
  pages: Page[];
  fonts: Fonts;
  /** Numbers of pages that show something, but no text. Usually they are scans. */
  scanned: number[];
  /** Numbers of pages that cannot be read, or only in part. */
  damaged: number[];
}

const MAX_PAGES = 20_000;
/** In characters. */
const MAX_TEXT = 30_000_000;

/** Reads the pages of a file, one after the other. */
export async function readPages(pdf: PDFDocumentProxy, input: Input): Promise<Pages> {
  const result: Pages = { pages: [], fonts: new Fonts(), scanned: [], damaged: [] };
  let length = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    if (number > MAX_PAGES || length > MAX_TEXT) {
      const fix = `Split it into several files. Pages from ${number} on are not indexed.`;
      input.report({ kind: 'failed', place: input.path, reason: 'too large', fix });
      break;
    }
    const content = await contentOf(pdf, number, result.fonts);
    if (!content?.isComplete) result.damaged.push(number);
    if (!content) continue;
    const blocks = blocksOf(content.layers);
    length += blocks.flat().reduce((sum, { text }) => sum + text.length, 0);
    if (blocks.length > 0) result.pages.push({ number, blocks });
    else if (content.isDrawn) result.scanned.push(number);
  }
  return result;
}

/** The content of a page, or undefined if it is damaged. `isDrawn` is whether a page without text shows something. */
async function contentOf(pdf: PDFDocumentProxy, number: number, fonts: Fonts) {
  let page: PDFPageProxy | undefined;
  try {
    page = await pdf.getPage(number);
    const content = await layersOf(page);
    const pieces = content.layers.flat();
    await fonts.learn(page, new Set(pieces.map(({ font }) => font)));
    return { ...content, isDrawn: pieces.length === 0 && (await isDrawn(page)) };
  } catch {
    return undefined;
  } finally {
    page?.cleanup();
  }
}

function blocksOf(layers: Piece[][]): Line[][] {
  const rightToLeft = isRightToLeft(layers.flatMap((pieces) => pieces.map(({ text }) => text)).join(''));
  return layers
    .flatMap((pieces) => blocksInOrder(segmentsOf(pieces), rightToLeft))
    .map((block) => linesOf(block).filter((line) => line.text !== ''))
    .filter(({ length }) => length > 0);
}

/** Fonts get names when a page is prepared for drawing, which takes longer than reading its text. */
const MAX_PREPARED_PAGES = 40;

const BOLD =
  /bold|black|heavy|semib|demi|(?:^|[+-])(?:cmb|cmssbx|ptmb|phvb|sfbx|sfxb|ecbx|ecxb|larmbx|lcmbx)|-b$|bd$/i;
const MONOSPACED =
  /mono|courier|typewriter|consol|menlo|(?:^|\+)(?:cmtt|cmsltt|sftt|ectt|larmtt|cmitt|pcr|txtt|lmtt)/i;

/** The fonts of a document. Their names tell weight and kind. */
export class Fonts {
  readonly #names = new Map<string, string>();
  #prepared = 0;

  /** Finds the names of the fonts of a page. */
  async learn(page: PDFPageProxy, fonts: Iterable<string>): Promise<void> {
    const unknown = [...fonts].filter((font) => !this.#names.has(font));
    if (unknown.length === 0 || this.#prepared >= MAX_PREPARED_PAGES) return;
    this.#prepared++;
    // A page that cannot be drawn may still be read.
    await page.getOperatorList().catch(() => {});
    for (const font of unknown) this.#names.set(font, nameOf(page, font));
  }

  isBold(font: string): boolean {
    return BOLD.test(this.#names.get(font) ?? '');
  }

  isMonospaced(font: string): boolean {
    return MONOSPACED.test(this.#names.get(font) ?? '');
  }
}

function nameOf({ commonObjs }: PDFPageProxy, font: string): string {
  const { name } = commonObjs.has(font) ? (commonObjs.get(font) as { name?: unknown }) : {};
  return typeof name === 'string' ? name : '';
}

/** In points. A picture that is larger in both directions may show text. */
const MIN_PICTURE = 72;
/** Letters that are drawn as lines have more of them than an empty page with a frame. */
const MAX_PATHS = 20;

/** Whether a page without text shows something else: a picture, or letters as lines. Pictures are not read, but their places are. */
async function isDrawn(page: PDFPageProxy): Promise<boolean> {
  const { OPS } = await pdfJs();
  const { fnArray, argsArray } = await page.getOperatorList();
  const paths = fnArray.filter((operator) => operator === OPS.constructPath).length;
  const isPicture = fnArray.some((operator, i) => {
    if (operator !== OPS.transform && operator !== OPS.paintFormXObjectBegin) return false;
    const matrix = operator === OPS.transform ? argsArray[i] : argsArray[i]?.[0];
    if (!matrix) return false;
    const [a, b, c, d] = matrix as [number, number, number, number];
    return Math.hypot(a, b) >= MIN_PICTURE && Math.hypot(c, d) >= MIN_PICTURE;
  });
  return isPicture || paths > MAX_PATHS;
}

/** Accents that old TeX fonts have as characters of their own, and those that Unicode combines with letters. */
const ACCENTS = '´`ˋˆ¨˜ˇ˘¯˙˚˝¸˛';
const COMBINING = '\u0301\u0300\u0300\u0302\u0308\u0303\u030C\u0306\u0304\u0307\u030A\u030B\u0327\u0328';

const ACCENTED = new RegExp(`([${ACCENTS}]) ?(\\p{Script=Latin})`, 'gu');
const CEDILLA = /([cstCST])([¸˛])/gu;
/** A grave accent also begins quotations, but other accents between letters occur only as accents. */
const CERTAIN = /\p{L}[´ˆ¨ˇ][\p{L}]/u;
/** Lines with certain accents, from which on all are. */
const MIN_LINES = 3;

/** Combines letters with accents that were printed over them, if the document has such. */
export function composeAccents(pages: Page[]): void {
  const lines = pages.flatMap(({ blocks }) => blocks.flat());
  if (lines.filter(({ text }) => CERTAIN.test(text)).length < MIN_LINES) return;
  for (const line of lines) {
    line.text = compose(line.text);
    for (const cell of line.cells) cell.text = compose(cell.text);
  }
}

function compose(text: string): string {
  const combining = (accent: string) => COMBINING[ACCENTS.indexOf(accent)]!;
  return text
    .replace(CEDILLA, (_, letter: string, accent: string) => letter + combining(accent))
    .replace(ACCENTED, (whole, accent: string, letter: string) => {
      const base = letter.replace('ı', 'i').replace('ȷ', 'j');
      const composed = (base + combining(accent)).normalize('NFC');
      return composed.length === 1 ? composed : whole;
    })
    .normalize('NFC');
}
