import { contentIds } from '../documents/content-id.ts';
import type { Document } from '../documents/document.ts';
import type { Passage } from '../format/passage.ts';
import { detectLanguage } from './detect-language.ts';
import { pack, type Segment } from './pack.ts';
import { pieces } from './pieces.ts';
import { type Section, sections } from './sections.ts';
import { sentences } from './sentences.ts';

export interface SplitOptions {
  /** Counts a text's tokens. */
  countTokens: (text: string) => number;
  /** The limit per passage. */
  maxTokens: number;
  /** Paragraphs of a section are joined until they have this many. */
  minTokens: number;
}

/** A passage without id and language, which depend on the whole document. */
type Draft = Pick<Passage, 'text' | 'title' | 'sentences'>;

/**
 * Splits a document into passages: whole paragraphs of one section if they fit, else whole sentences. Their texts contain every
 * character of the document's blocks except white space, once and in order. A heading is the first line of its section, but not one
 * of its sentences, because a heading is not an answer. A document's id becomes the id of its only passage, or `id#1`, `id#2` … of
 * several. Without an id, ids are derived from the texts. The language is the declared language, else detected.
 * @throws RangeError if `minTokens` exceeds `maxTokens` or either is less than 1
 */
export function toPassages(document: Document, options: SplitOptions): Passage[] {
  const { minTokens, maxTokens } = options;
  if (!(minTokens >= 1 && minTokens <= maxTokens)) {
    throw new RangeError(
      `minTokens is ${minTokens} and maxTokens ${maxTokens}: 1 <= minTokens <= maxTokens is required.`,
    );
  }
  const drafts = sections(document).flatMap((section) => splitSection(section, document.lang, options));
  const languages = drafts.map((draft) => document.lang || detectLanguage(draft.text));
  const usual = mostFrequent(languages) ?? 'und';
  const idOf = contentIds(document.source);
  return drafts.map((draft, position) => ({
    id:
      document.id === undefined
        ? idOf(draft.text)
        : drafts.length === 1
          ? document.id
          : `${document.id}#${position + 1}`,
    ...draft,
    source: document.source,
    position,
    lang: languages[position] ?? usual,
    url: document.url,
    metadata: document.metadata,
  }));
}

function splitSection(section: Section, declared: string | undefined, options: SplitOptions): Draft[] {
  const { text, title, bodyStart, paragraphStarts } = section;
  const { countTokens, minTokens, maxTokens } = options;
  const lang = declared || detectLanguage(text) || 'und';
  const segments = sentences(text, lang).flatMap(([start, end]) =>
    pieces(text.slice(start, end), lang, maxTokens, countTokens).map((piece) => ({
      start: start + piece.start,
      end: start + piece.end,
      tokens: piece.tokens,
    })),
  );
  const starts = new Set(paragraphStarts);
  const marked = segments.map((segment, i): Segment => {
    const next = segments[i + 1];
    return { ...segment, endsParagraph: next === undefined || starts.has(next.start) };
  });
  const textOf = (group: Segment[]) => text.slice(group[0]!.start, group.at(-1)!.end);
  const groups = pack(marked, minTokens, maxTokens, (group) => countTokens(textOf(group)));
  return groups.map((group) => {
    const body = group.filter(({ start }) => start >= bodyStart);
    const answers = body.length > 0 ? body : group;
    return {
      text: textOf(group),
      title,
      sentences: answers.map(({ start, end }) => [start - group[0]!.start, end - group[0]!.start]),
    };
  });
}

function mostFrequent(values: (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}
