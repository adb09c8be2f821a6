import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** In characters. */
const MAX_TITLE = 300;

/** What programs write if nobody entered a title: a file name, or the name of a program. */
const NO_TITLE =
  /^(?:untitled|ohne titel|sans titre|sin título|no title|title|unknown|none|無題|无标题|document\s*\d*|(?:microsoft (?:word|powerpoint|excel)|powerpoint presentation|layout) ?\d*(?: -.*)?|(?:https?|file):\S*|.*\.(?:pdf|docx?|odt|rtf|tex|dvi|ps|html?|indd|qxd|pmd|pptx?|fm|cdr|txt|p65|wpd|md|lyx|xlsx?))$/iu;

/** The title and the language that a file declares. */
export async function aboutOf(pdf: PDFDocumentProxy): Promise<{ title?: string; lang?: string }> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} as object }));
  const { Title: title, Language: lang } = info as { Title?: unknown; Language?: unknown };
  const clean = typeof title === 'string' ? title.replace(/[\s\p{Cc}]+/gu, ' ').trim() : '';
  const isTitle = /\p{L}/u.test(clean) && clean.length <= MAX_TITLE && !NO_TITLE.test(clean);
  return {
    ...(isTitle && { title: clean }),
    ...(typeof lang === 'string' && isTag(lang.trim()) && { lang: lang.trim() }),
  };
}

function isTag(lang: string): boolean {
  try {
    return Intl.getCanonicalLocales(lang).length === 1;
  } catch {
    return false;
  }
}
