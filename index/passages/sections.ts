import type { Block, Document } from '../documents/document.ts';

/** What stands under one heading. */
export interface Section {
  /** The headings it stands under, joined by ` › `; the document's title or file name where there is none. */
  title: string;
  /** The heading's line, if there is one, and its paragraphs, with a blank line between two of them. */
  text: string;
  /** Where in `text` its first paragraph begins; 0 where there are headings alone. */
  bodyStart: number;
  /** Where in `text` its paragraphs after the first begin. */
  paragraphStarts: number[];
}

/**
 * The sections of a document, in order. Their texts hold every character of its blocks but white space, once and in
 * order. A heading without a paragraph of its own is the first line of the section after it, and the last section if
 * there is none.
 */
export function sections(document: Document): Section[] {
  const found: Section[] = [];
  let path: Block[] = [];
  let headings: string[] = [];
  let paragraphs: string[] = [];
  let isAfterEnd = false;
  const headsAll = !document.blocks.some(
    (block) => block.kind === 'heading' && levelOf(block) === 1 && block.text === document.title,
  );
  const close = () => {
    if (headings.length + paragraphs.length > 0) {
      const title = sectionTitle(document, headsAll, path, isAfterEnd);
      found.push(toSection(title, headings, paragraphs));
    }
    headings = [];
    paragraphs = [];
  };
  for (const block of document.blocks) {
    const text = block.text.trim();
    if (block.kind === 'heading' && text !== '') {
      if (paragraphs.length > 0) close();
      path = [...path.filter((above) => levelOf(above) < levelOf(block)), block];
      headings.push(text);
    } else if (text !== '') paragraphs.push(text);
    if (block.endsSection) {
      close();
      path = [];
      isAfterEnd = true;
    }
  }
  close();
  return found;
}

function toSection(title: string, headings: string[], paragraphs: string[]): Section {
  const [first = '', ...rest] = paragraphs;
  let text = [...headings, first].join('\n').trimEnd();
  const bodyStart = first === '' ? 0 : text.length - first.length;
  const paragraphStarts = rest.map((paragraph) => {
    text += '\n\n';
    const start = text.length;
    text += paragraph;
    return start;
  });
  return { title, text, bodyStart, paragraphStarts };
}

/**
 * Where the document's title is one of its own headings of level 1, it heads a section rather than the whole: it does
 * not come before other headings, and does not hold after the end of an article.
 */
function sectionTitle(document: Document, headsAll: boolean, path: Block[], isAfterEnd: boolean): string {
  const root = headsAll && document.title ? [document.title] : [];
  const parts = [...root, ...path.map((heading) => heading.text)].map((part) =>
    part.trim().replace(/\s+/g, ' '),
  );
  const title = parts.filter((part, i) => part !== parts[i - 1]).join(' › ');
  return (
    title || (!isAfterEnd && document.title) || document.source.slice(document.source.lastIndexOf('/') + 1)
  );
}

function levelOf(heading: Block): number {
  return heading.level ?? 1;
}
