import type { Block, Document } from '../../documents/document.ts';

/** UTF-16 code units of a title and of the whole path of headings. Each passage stores it. */
const MAX_TITLE = 1_000;
const SEPARATOR = ' › ';

/** The text under one heading. */
export interface Section {
  /** The path of headings, joined by ` › `. Without headings, the document's title or file name. */
  title: string;
  /** The level of its first heading; 0 without one. */
  level: number;
  endsArticle: boolean;
  /** The headings, if any, and the paragraphs, separated by blank lines. */
  text: string;
  /** `[start, end)` of the headings in `text`; empty if there are none, or no paragraphs below them. */
  headings: [start: number, end: number];
  /** Starts of the other paragraphs in `text`, the first one with its headings. */
  paragraphStarts: number[];
  /** The anchor of each heading and paragraph that has one, with its start in `text`, in order. */
  anchors: { start: number; anchor: string }[];
}

/** A place in a document, as far as the text before it affects the text after it. Plain JSON. */
export interface Place {
  /** The headings above, each in one line of limited length. */
  path: { level: number; text: string }[];
  isAfterEnd: boolean;
  /** Whether the document's title is one of the headings of level 1. */
  hasOwnTitle: boolean;
  anchor?: string;
}

export const START: Place = { path: [], isAfterEnd: false, hasOwnTitle: false };

interface Text {
  text: string;
  anchor: string | undefined;
}

/**
 * Splits a document, or a part of one, into sections. Their texts contain every character of its blocks except white space, once and in order. A
 * heading without paragraphs becomes the first line of the next section, or the last section if none follows.
 * @param before where the part before this one ended
 */
export function sections(document: Document, before = START): { sections: Section[]; after: Place } {
  const found: Section[] = [];
  let { path, isAfterEnd, anchor } = before;
  const root = titleLine(document.title);
  let headings: Text[] = [];
  let paragraphs: Text[] = [];
  const hasOwnTitle =
    before.hasOwnTitle ||
    document.blocks.some(
      (block) => block.kind === 'heading' && levelOf(block) === 1 && block.text === document.title,
    );
  let level = 0;
  const close = (endsArticle = false) => {
    if (headings.length + paragraphs.length > 0) {
      const title = sectionTitle(document.source, root, { path, isAfterEnd, hasOwnTitle });
      found.push({ title, level, endsArticle, ...textOf(headings, paragraphs) });
    }
    level = 0;
    headings = [];
    paragraphs = [];
  };
  for (const block of document.blocks) {
    const text = block.text.trim();
    anchor = block.anchor ?? anchor;
    if (block.kind === 'heading' && text !== '') {
      if (paragraphs.length > 0) close();
      const own = levelOf(block);
      if (headings.length === 0) level = own;
      path = [...path.filter((above) => above.level < own), { level: own, text: titleLine(block.text) }];
      headings.push({ text, anchor });
    } else if (text !== '') paragraphs.push({ text, anchor });
    if (block.endsSection) {
      close(true);
      path = [];
      isAfterEnd = true;
    }
  }
  close();
  return { sections: found, after: { path, isAfterEnd, hasOwnTitle, anchor } };
}

function textOf(
  headings: Text[],
  paragraphs: Text[],
): Pick<Section, 'text' | 'headings' | 'paragraphStarts' | 'anchors'> {
  let text = '';
  const anchors: Section['anchors'] = [];
  const append = (part: Text, separator: string): number => {
    if (text !== '') text += separator;
    const start = text.length;
    text += part.text;
    if (part.anchor !== undefined && part.anchor !== anchors.at(-1)?.anchor)
      anchors.push({ start, anchor: part.anchor });
    return start;
  };
  for (const heading of headings) append(heading, '\n');
  const [first, ...rest] = paragraphs;
  const bodyStart = first ? append(first, '\n') : 0;
  const paragraphStarts = rest.map((paragraph) => append(paragraph, '\n\n'));
  return { text, headings: [0, bodyStart], paragraphStarts, anchors };
}

/**
 * Joins a small text without a heading, such as the description at the top of a page, with the section below it: a line of some words is
 * near many questions, and answers few. A small section with a heading may be a whole answer, such as an article of a law.
 */
export function joinIntroductions(all: readonly Section[], isSmall: (text: string) => boolean): Section[] {
  const joined: Section[] = [];
  for (const section of all) {
    const before = joined.at(-1);
    if (before && before.level === 0 && !before.endsArticle && isSmall(before.text))
      joined[joined.length - 1] = join(before, section);
    else joined.push(section);
  }
  return joined;
}

/** @param first without headings */
function join(first: Section, second: Section): Section {
  const offset = first.text.length + 2;
  return {
    ...second,
    text: `${first.text}\n\n${second.text}`,
    headings: [second.headings[0] + offset, second.headings[1] + offset],
    paragraphStarts: [...first.paragraphStarts, offset, ...second.paragraphStarts.map((at) => at + offset)],
    anchors: [
      ...first.anchors,
      ...second.anchors.map(({ start, anchor }) => ({ start: start + offset, anchor })),
    ],
  };
}

/**
 * If the document's title is one of its headings of level 1, it is the title of that section only: it is not put before other
 * headings, and does not apply after the end of an article.
 */
function sectionTitle(source: string, root: string, { path, isAfterEnd, hasOwnTitle }: Place): string {
  const parts = [...(hasOwnTitle ? [] : [root]), ...path.map((heading) => heading.text)].filter(
    // A title may contain the titles above it, and end with the page's first heading.
    (part, i, all) => part !== '' && part !== all[i - 1] && !all[i - 1]?.endsWith(`${SEPARATOR}${part}`),
  );
  const share = Math.max(1, Math.floor(MAX_TITLE / parts.length) - SEPARATOR.length);
  const isLong = parts.reduce((sum, part) => sum + part.length + SEPARATOR.length, 0) > MAX_TITLE;
  const title = (isLong ? parts.map((part) => shorten(part, share)) : parts).join(SEPARATOR);
  return shorten(title || (!isAfterEnd && root) || source.slice(source.lastIndexOf('/') + 1), MAX_TITLE);
}

/** A title or heading in one line, as it is in titles of passages. Empty for none. */
export function titleLine(title = ''): string {
  return shorten(title.trim().replace(/\s+/g, ' '), MAX_TITLE);
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function levelOf(heading: Block): number {
  return heading.level ?? 1;
}
