import type { Block, Document } from '../documents/document.ts';

/** The text under one heading. */
export interface Section {
  /** The path of headings, joined by ` › `. Without headings, the document's title or file name. */
  title: string;
  /** The heading, if any, and its paragraphs, separated by blank lines. */
  text: string;
  /** Start of the first paragraph in `text`; 0 if there are only headings. */
  bodyStart: number;
  /** Starts of the other paragraphs in `text`. */
  paragraphStarts: number[];
}

/**
 * Splits a document into sections. Their texts contain every character of its blocks except white space, once and in order. A
 * heading without paragraphs becomes the first line of the next section, or the last section if none follows.
 */
export function sections(document: Document): Section[] {
  const found: Section[] = [];
  let path: Block[] = [];
  let headings: string[] = [];
  let paragraphs: string[] = [];
  let isAfterEnd = false;
  const isTitleOfAll = !document.blocks.some(
    (block) => block.kind === 'heading' && levelOf(block) === 1 && block.text === document.title,
  );
  const close = () => {
    if (headings.length + paragraphs.length > 0) {
      const title = sectionTitle(document, isTitleOfAll, path, isAfterEnd);
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
 * If the document's title is one of its headings of level 1, it is the title of that section only: it is not put before other
 * headings, and does not apply after the end of an article.
 */
function sectionTitle(document: Document, isTitleOfAll: boolean, path: Block[], isAfterEnd: boolean): string {
  const root = isTitleOfAll && document.title ? [document.title] : [];
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
