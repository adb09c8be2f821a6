import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** An entry of the outline (the bookmarks). */
export interface Entry {
  title: string;
  /** 0 for those at the top. */
  depth: number;
  /** From 1. */
  page: number | undefined;
}

const MAX_ENTRIES = 10_000;

type Node = NonNullable<Awaited<ReturnType<PDFDocumentProxy['getOutline']>>>[number];

/** The entries of the outline, from first to last. */
export async function outlineOf(pdf: PDFDocumentProxy): Promise<Entry[]> {
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
