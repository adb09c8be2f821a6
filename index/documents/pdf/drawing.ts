import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { pdfJs } from './open.ts';

/** In points. A picture that is larger in both directions may show text. */
const MIN_PICTURE = 72;
/** Letters that are drawn as lines have more of them than an empty page with a frame. */
const MAX_PATHS = 20;

/** Whether a page without text shows something else: a picture, or letters as lines. Pictures are not read, but their places are. */
export async function isDrawn(page: PDFPageProxy): Promise<boolean> {
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
