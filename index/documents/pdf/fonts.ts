import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';

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
    try {
      await page.getOperatorList();
    } catch {
      // A page that cannot be drawn may still be read.
    }
    for (const font of unknown) this.#names.set(font, nameOf(page, font));
  }

  isBold(font: string): boolean {
    return BOLD.test(this.#names.get(font) ?? '');
  }

  isMonospaced(font: string): boolean {
    return MONOSPACED.test(this.#names.get(font) ?? '');
  }
}

function nameOf(page: PDFPageProxy, font: string): string {
  if (!page.commonObjs.has(font)) return '';
  const { name } = page.commonObjs.get(font) as { name?: unknown };
  return typeof name === 'string' ? name : '';
}
