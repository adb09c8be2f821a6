import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { languageTag } from '../document.ts';
import type { Reader } from '../input.ts';
import { withoutContents, withoutFurniture } from './furniture.ts';
import { blocksOf, type Entry } from './headings.ts';
import { damaged, openPdf } from './open.ts';
import { composeAccents, readPages } from './pages.ts';
import { paragraphsOf } from './paragraphs.ts';

/** Reads the text of a PDF file in the order of reading. */
export const readPdf: Reader = async function* (input) {
  const pdf = await openPdf(input);
  try {
    const { pages, fonts, scanned, damaged: bad } = await readPages(pdf, input);
    composeAccents(pages);
    const kept = withoutContents(withoutFurniture(pages));
    if (kept.every(({ blocks }) => blocks.length === 0)) {
      if (bad.length > 0) throw damaged(input);
      throw input.failure('no text', 'Recognize its text (OCR), for example with ocrmypdf, and build again.');
    }
    for (const [reason, numbers, fix] of [
      ['no text', scanned, 'Recognize the text of its scanned pages (OCR)'],
      ['damaged', bad, 'Open it in a PDF viewer, and save it again'],
    ] as const)
      if (numbers.length > 0)
        input.report({ kind: 'failed', place: input.path, reason, fix: `${fix} (page ${ranges(numbers)}).` });
    const paragraphs = paragraphsOf(kept, fonts);
    const blocks = blocksOf(paragraphs, await outlineOf(pdf));
    const { title = blocks.find(({ level }) => level === 1)?.text, lang } = await aboutOf(pdf);
    yield { source: input.source, title, lang, blocks };
  } finally {
    await pdf.loadingTask.destroy();
  }
};

/** `3, 5-9` */
function ranges(numbers: number[]): string {
  const starts = numbers.filter((number, i) => number !== numbers[i - 1]! + 1);
  const ends = numbers.filter((number, i) => number !== numbers[i + 1]! - 1);
  return starts.map((start, i) => (start === ends[i] ? start : `${start}-${ends[i]}`)).join(', ');
}

/** In characters. */
const MAX_TITLE = 300;

/** What programs write if nobody entered a title: a file name, or the name of a program. */
const NO_TITLE =
  /^(?:untitled|ohne titel|sans titre|sin título|no title|title|unknown|none|無題|无标题|document\s*\d*|(?:microsoft (?:word|powerpoint|excel)|powerpoint presentation|layout) ?\d*(?: -.*)?|(?:https?|file):\S*|.*\.(?:pdf|docx?|odt|rtf|tex|dvi|ps|html?|indd|qxd|pmd|pptx?|fm|cdr|txt|p65|wpd|md|lyx|xlsx?))$/iu;

/** The title and the language that a file declares. */
async function aboutOf(pdf: PDFDocumentProxy): Promise<{ title?: string; lang?: string }> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }));
  const { Title, Language } = info as { Title?: unknown; Language?: unknown };
  const title = typeof Title === 'string' ? Title.replace(/[\s\p{Cc}]+/gu, ' ').trim() : '';
  const isTitle = /\p{L}/u.test(title) && title.length <= MAX_TITLE && !NO_TITLE.test(title);
  const lang = typeof Language === 'string' ? languageTag(Language.trim()) : undefined;
  return { ...(isTitle && { title }), lang };
}

const MAX_ENTRIES = 10_000;

type Node = NonNullable<Awaited<ReturnType<PDFDocumentProxy['getOutline']>>>[number];

/** The entries of the outline, from first to last. */
async function outlineOf(pdf: PDFDocumentProxy): Promise<Entry[]> {
  const roots = await pdf.getOutline().catch(() => null);
  const entries: Entry[] = [];
  const pending = (roots ?? []).map((node) => ({ node, depth: 0 })).reverse();
  for (let next = pending.pop(); next !== undefined && entries.length < MAX_ENTRIES; next = pending.pop()) {
    const { node, depth } = next;
    entries.push({ title: node.title, depth, page: await pageOf(pdf, node) });
    const items = node.items as Node[];
    for (let i = items.length - 1; i >= 0; i--) pending.push({ node: items[i]!, depth: depth + 1 });
  }
  return entries;
}

async function pageOf(pdf: PDFDocumentProxy, { dest }: Node): Promise<number | undefined> {
  try {
    const [target] = (typeof dest === 'string' ? await pdf.getDestination(dest) : dest) ?? [];
    if (typeof target === 'number') return target + 1;
    return target ? (await pdf.getPageIndex(target)) + 1 : undefined;
  } catch {
    return undefined;
  }
}
