import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { Input } from '../input.ts';
import { isRightToLeft } from './characters.ts';
import { blocksInOrder } from './columns.ts';
import { Fonts } from './fonts.ts';
import { type Line, lineOf, rowsOf, segmentsOf } from './lines.ts';
import { layersOf } from './pieces.ts';

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
  /** Numbers of pages without text, which usually are scans. */
  blank: number[];
  /** Numbers of pages that cannot be read, or only in part. */
  damaged: number[];
}

const MAX_PAGES = 20_000;
/** In characters. */
const MAX_TEXT = 30_000_000;

/** Reads the pages of a file, one after the other. */
export async function readPages(pdf: PDFDocumentProxy, input: Input): Promise<Pages> {
  const result: Pages = { pages: [], fonts: new Fonts(), blank: [], damaged: [] };
  let length = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    if (number > MAX_PAGES || length > MAX_TEXT) {
      const fix = `Split it into several files. Pages from ${number} on are not indexed.`;
      input.report({ kind: 'failed', place: input.path, reason: 'too large', fix });
      break;
    }
    let page: PDFPageProxy | undefined;
    try {
      page = await pdf.getPage(number);
      const { blocks, isComplete } = await blocksOf(page, result.fonts);
      if (!isComplete) result.damaged.push(number);
      if (blocks.length === 0) result.blank.push(number);
      else result.pages.push({ number, blocks });
      for (const line of blocks.flat()) length += line.text.length;
    } catch {
      result.damaged.push(number);
    } finally {
      page?.cleanup();
    }
  }
  return result;
}

async function blocksOf(
  page: PDFPageProxy,
  fonts: Fonts,
): Promise<{ blocks: Line[][]; isComplete: boolean }> {
  const { layers, isComplete } = await layersOf(page);
  const pieces = layers.flatMap((layer) => layer.pieces);
  await fonts.learn(page, new Set(pieces.map(({ font }) => font)));
  const rightToLeft = isRightToLeft(pieces.map(({ text }) => text).join(''));
  const blocks = layers.flatMap((layer) => blocksInOrder(segmentsOf(layer.pieces), rightToLeft));
  const lines = blocks.map((block) =>
    rowsOf(block)
      .map(lineOf)
      .filter(({ text }) => text !== ''),
  );
  return { blocks: lines.filter(({ length }) => length > 0), isComplete };
}
