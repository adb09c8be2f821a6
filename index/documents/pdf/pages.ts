import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { Input } from '../input.ts';
import { isRightToLeft } from './characters.ts';
import { blocksInOrder } from './columns.ts';
import { isDrawn } from './drawing.ts';
import { Fonts } from './fonts.ts';
import { type Line, segmentsOf } from './lines.ts';
import { type Layer, layersOf } from './pieces.ts';
import { linesOf } from './rows.ts';

/** A page as blocks of lines, in the order of reading. */
export interface Page {
  /** From 1. */
  number: number;
  blocks: Line[][];
}

/** What the pages of a file contain. */
export interface Pages {
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
    for (const line of blocks.flat()) length += line.text.length;
    if (blocks.length > 0) result.pages.push({ number, blocks });
    else if (content.isDrawn) result.scanned.push(number);
  }
  return result;
}

interface Content {
  layers: Layer[];
  isComplete: boolean;
  /** Whether a page without text shows something. */
  isDrawn: boolean;
}

/** The content of a page, or undefined if it is damaged. */
async function contentOf(pdf: PDFDocumentProxy, number: number, fonts: Fonts): Promise<Content | undefined> {
  let page: PDFPageProxy | undefined;
  try {
    page = await pdf.getPage(number);
    const { layers, isComplete } = await layersOf(page);
    if (layers.length === 0) return { layers, isComplete, isDrawn: await isDrawn(page) };
    await fonts.learn(page, new Set(layers.flatMap(({ pieces }) => pieces.map(({ font }) => font))));
    return { layers, isComplete, isDrawn: false };
  } catch {
    return undefined;
  } finally {
    page?.cleanup();
  }
}

function blocksOf(layers: Layer[]): Line[][] {
  const text = layers.flatMap(({ pieces }) => pieces.map((piece) => piece.text)).join('');
  const rightToLeft = isRightToLeft(text);
  return layers
    .flatMap((layer) => blocksInOrder(segmentsOf(layer.pieces), rightToLeft))
    .map((block) => linesOf(block).filter((line) => line.text !== ''))
    .filter(({ length }) => length > 0);
}
