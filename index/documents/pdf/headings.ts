import type { Block } from '../document.ts';
import { isClosed } from '../plain/script.ts';
import type { Paragraph } from './paragraphs.ts';

/** An entry of the outline (the bookmarks). */
export interface Entry {
  title: string;
  /** 0 for those at the top. */
  depth: number;
  /** From 1. */
  page: number | undefined;
}

/** In characters. */
const MAX_HEADING = 200;
/** A larger font than that of the text by this factor is that of headings. */
const LARGER = 1.15;
/** The same for short lines. */
const SLIGHTLY_LARGER = 1.08;
/** In characters. */
const SHORT = 80;
/** The share of the outline that must be found in the text. */
const FOUND = 0.5;
const DEEPEST = 6;
const MAX_TITLE_LINES = 4;

/**
 * The blocks of a document. Headings are from the outline if there is one, else from sizes and weights of fonts. A block that is the
 * first of its page has its page as anchor.
 */
export function blocksOf(parts: Paragraph[], outline: Entry[]): Block[] {
  const body = bodySize(parts);
  const paragraphs = joinTitle(parts, titleParagraph(parts, body));
  const title = titleParagraph(paragraphs, body);
  const matched = match(paragraphs, outline);
  const useful = matched.size > 0 && matched.size >= FOUND * outline.length;
  const levels = useful ? matched : byFont(paragraphs, body, title);
  if (title && !levels.has(title) && ![...levels.values()].includes(1)) levels.set(title, 1);
  return paragraphs.map((paragraph, i): Block => {
    const { text, page } = paragraph;
    const level = levels.get(paragraph);
    const anchor = page === paragraphs[i - 1]?.page ? {} : { anchor: `page=${page}` };
    if (level === undefined) return { kind: 'paragraph', text, ...anchor };
    return { kind: 'heading', level, text: text.replaceAll('\n', ' '), ...anchor };
  });
}

/** Joins the lines of a title. The first page may have wide steps between them. */
function joinTitle(paragraphs: Paragraph[], title: Paragraph | undefined): Paragraph[] {
  if (!title) return paragraphs;
  const at = paragraphs.indexOf(title);
  const continues = ({ page, size, bold, text }: Paragraph) =>
    page === title.page &&
    size === title.size &&
    bold === title.bold &&
    text.length <= MAX_HEADING &&
    !/^[\p{N}]/u.test(text);
  let end = at + 1;
  while (end < paragraphs.length && end - at < MAX_TITLE_LINES && continues(paragraphs[end]!)) end++;
  const parts = paragraphs.slice(at, end);
  const text = parts.map((part) => part.text).join(' ');
  const lines = parts.flatMap((part) => part.lines);
  return paragraphs.toSpliced(at, parts.length, { ...title, text, lines });
}

/** The size of the font that most text has. */
function bodySize(paragraphs: Paragraph[]): number {
  const counts = new Map<number, number>();
  for (const { size, text } of paragraphs) {
    const rounded = Math.round(size * 5) / 5;
    counts.set(rounded, (counts.get(rounded) ?? 0) + text.length);
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), [0, 0])[0];
}

/** The largest text on the first page, if it is larger than the rest. */
function titleParagraph(paragraphs: Paragraph[], body: number): Paragraph | undefined {
  const first = paragraphs.filter(
    ({ page, text }) =>
      page === paragraphs[0]?.page && text.length <= MAX_HEADING && /\p{L}.*\p{L}/u.test(text),
  );
  const size = Math.max(...first.map((paragraph) => paragraph.size));
  return size >= LARGER * body ? first.find((paragraph) => paragraph.size === size) : undefined;
}

/** The paragraphs that are entries of the outline. */
function match(paragraphs: Paragraph[], outline: Entry[]): Map<Paragraph, number> {
  const pages = new Map<number, Paragraph[]>();
  for (const paragraph of paragraphs) {
    if (paragraph.text.length > MAX_HEADING) continue;
    const list = pages.get(paragraph.page) ?? [];
    pages.set(paragraph.page, list);
    list.push(paragraph);
  }
  const root = outline.filter(({ depth }) => depth === 0).length === 1 && outline.length > 1 ? 1 : 2;
  const levels = new Map<Paragraph, number>();
  for (const { title, depth, page } of outline) {
    if (page === undefined) continue;
    const wanted = comparable(title);
    const candidates = [...(pages.get(page) ?? []), ...(pages.get(page + 1) ?? [])];
    const found = candidates.find(
      (each) => !levels.has(each) && wanted !== '' && comparable(each.text) === wanted,
    );
    if (found) levels.set(found, Math.min(DEEPEST, depth + root));
  }
  return levels;
}

/** A heading without its number and marks. */
function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(
      /^(?:chapter|appendix|section|part|kapitel|chapitre|capítulo)?\s*[\p{N}.]+\s|[^\p{L}\p{M}\p{N}]/gu,
      '',
    );
}

/** Headings are larger than the text, or bold. Larger ones have higher levels. */
function byFont(paragraphs: Paragraph[], body: number, title: Paragraph | undefined): Map<Paragraph, number> {
  const styleOf = ({ size, bold }: Paragraph) => Math.round(size * 2) * 2 + (bold ? 1 : 0);
  const found = paragraphs.filter((paragraph) => paragraph !== title && looksLikeHeading(paragraph, body));
  const opening = new Set(openingOf(paragraphs, title, body));
  const usual = new Set(found.filter((paragraph) => !opening.has(paragraph)).map(styleOf));
  const candidates = found.filter((paragraph) => !opening.has(paragraph) || usual.has(styleOf(paragraph)));
  const styles = [...new Set(candidates.map(styleOf))].sort((one, other) => other - one);
  return new Map(
    candidates.map((paragraph) => [paragraph, Math.min(DEEPEST, styles.indexOf(styleOf(paragraph)) + 2)]),
  );
}

/** What is between the title and the text: authors, their addresses, the date. */
function openingOf(paragraphs: Paragraph[], title: Paragraph | undefined, body: number): Paragraph[] {
  const start = title ? paragraphs.indexOf(title) + 1 : 0;
  const isText = ({ size, text, page }: Paragraph) =>
    page !== title?.page || (Math.abs(size - body) < 0.1 * body && text.length > SHORT);
  const length = paragraphs.slice(start).findIndex(isText);
  return title ? paragraphs.slice(start, length < 0 ? undefined : start + length) : [];
}

function looksLikeHeading(paragraph: Paragraph, body: number): boolean {
  const { text, size, bold, kind, lines } = paragraph;
  if (kind !== 'text' || text.length > MAX_HEADING || lines.length > 3 || !/\p{L}.*\p{L}|\p{Lo}/u.test(text))
    return false;
  // An entry of a table of contents.
  if (/^[\p{N}.]+ .* \p{N}+$/u.test(text)) return false;
  const isShort = lines.length === 1 && text.length <= SHORT && !/[:,;]$/u.test(text);
  if (isShort && size >= SLIGHTLY_LARGER * body) return true;
  if (/[.,;，。、]$/u.test(text) && isClosed(text)) return false;
  return size >= LARGER * body || (bold && size >= 0.97 * body && !/[:,;]$/u.test(text));
}
