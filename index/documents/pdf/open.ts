import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { Input } from '../input.ts';

/** The part of pdf.js that readers use. */
type PdfJs = typeof import('pdfjs-dist/legacy/build/pdf.mjs');

/** The minified builds take 160 MB less memory to load than the others. package.json's `imports` say where pdf.js is. */
const BUILD = '#pdfjs/legacy/build/pdf.min.mjs';
const WORKER_BUILD = '#pdfjs/legacy/build/pdf.worker.min.mjs';

/** pdf.js requires these to exist when it is loaded. They are for drawing, so nothing here calls them. */
const DRAWING_CLASSES = ['DOMMatrix', 'ImageData', 'Path2D'];

let loaded: Promise<PdfJs> | undefined;

/** pdf.js, loaded once. */
export function pdfJs(): Promise<PdfJs> {
  loaded ??= load();
  return loaded;
}

/** While pdf.js loads, it warns that its optional canvas package is missing, which only drawing needs. */
async function load(): Promise<PdfJs> {
  for (const name of DRAWING_CLASSES) if (!(name in globalThis)) Reflect.set(globalThis, name, class {});
  const { warn } = console;
  console.warn = () => {};
  try {
    // pdf.js uses the worker's code that is here in this thread.
    Reflect.set(globalThis, 'pdfjsWorker', await loadWorker());
    return (await import(BUILD)) as PdfJs;
  } finally {
    console.warn = warn;
  }
}

/** In the worker's code: where it tells of marked content without its actual text. */
const MARKED =
  /(\w+)\[1\]instanceof Dict&&\(\w+=\1\[1\]\.get\("MCID"\)\);\w+\.items\.push\(\{(?=type:"beginMarkedContentProps")/;
/** In the worker's code: where it takes a glyph that contains a combining mark for the mark alone. */
const ZERO_WIDTH = '|(\\\\p{Mn})|';

/**
 * Loads the worker's code with two changes, without which most words of Hindi and Thai in files of Chromium are damaged. Letters that a
 * font has no single glyph for are only in the actual text of marked content, which pdf.js ignores. And it gives no width to glyphs
 * of letters with marks, so that a space seems to follow.
 */
async function loadWorker(): Promise<unknown> {
  const code = await readFile(fileURLToPath(import.meta.resolve(WORKER_BUILD)), 'utf8');
  const changed = code
    .replace(
      MARKED,
      (found, operands: string) =>
        `${found}actualText:${operands}[1]instanceof Dict?${operands}[1].get("ActualText"):null,`,
    )
    .replace(ZERO_WIDTH, ZERO_WIDTH.replace('|(', '|^(').replace(')|', '+$)|'));
  return import(`data:text/javascript;base64,${Buffer.from(changed).toString('base64')}`);
}

/**
 * Opens a PDF file. The caller must call `destroy` of the result's `loadingTask`.
 * @throws Unreadable if it needs a password, or is no PDF file
 */
export async function openPdf(input: Input): Promise<PDFDocumentProxy> {
  const bytes = await input.bytes();
  // pdf.js looks for the signature further down too, as other viewers do.
  if (!bytes.subarray(0, 1024).includes('%PDF-')) throw damaged(input);
  const { getDocument } = await pdfJs();
  const folder = dirname(dirname(dirname(fileURLToPath(import.meta.resolve(BUILD)))));
  const task = getDocument({
    // Not the buffer itself, because pdf.js takes it over and it may be part of a pool.
    data: new Uint8Array(bytes),
    verbosity: 0,
    cMapUrl: join(folder, 'cmaps/'),
    cMapPacked: true,
    standardFontDataUrl: join(folder, 'standard_fonts/'),
    useSystemFonts: false,
    disableFontFace: true,
    isEvalSupported: false,
    // Images are not needed, and decoding them takes time and memory.
    maxImageSize: 1,
  });
  try {
    return await task.promise;
  } catch (error) {
    await task.destroy();
    if (error instanceof Error && error.name === 'PasswordException')
      throw input.failure('encrypted', 'Remove the password and build again.');
    throw damaged(input);
  }
}

/** The error for a file that pdf.js cannot read. */
export function damaged(input: Input) {
  return input.failure('damaged', 'Open it in a PDF viewer, save it again, and build again.');
}
