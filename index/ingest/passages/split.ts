import { contentIds } from '../../documents/content-id.ts';
import type { Document } from '../../documents/document.ts';
import type { Passage } from '../../format/passage.ts';
import { detectLanguage, fittingLanguage } from './detect-language.ts';
import { pack, pieces, type Segment, shifted } from './pack.ts';
import { joinIntroductions, type Place, type Section, START, sections, titleLine } from './sections.ts';
import { merge, type Span, sentences } from './sentences.ts';

/** Longer texts count as more tokens, because white space has none, and a run of unknown characters only one. */
const CHARACTERS_PER_TOKEN = 20;
/** A text without a heading is small below this share of `minTokens`. */
const SMALL = 1 / 3;
/** The end of a line that introduces the next one. */
const INTRODUCTION = /[:：]$/;
const WORD = /[\p{L}\p{N}]/u;
const VISIBLE = /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

export interface SplitOptions {
  countTokens: (text: string) => number;
  maxTokens: number;
  /** Paragraphs of a section are joined until they have this many. */
  minTokens: number;
}

/** A passage, as far as its part of the document decides. Plain JSON. */
export interface CutPassage extends Pick<Passage, 'text' | 'title' | 'sentences' | 'anchor'> {
  lang?: string;
  /** Detected, but less certain than the language of most passages. */
  guess?: string;
  tokens: number;
}

/** The passages of a document or a part of one, and where it ends. Plain JSON. */
export interface Cut {
  passages: CutPassage[];
  after: Place;
}

/** Cuts a document, or a part of one that starts at a place. Depends on nothing else. */
export type Cutter = (document: Document, before: Place) => Cut;

/** @throws RangeError if `minTokens` exceeds `maxTokens` or either is less than 1 */
export function createCutter(options: SplitOptions): Cutter {
  const { minTokens, maxTokens } = options;
  if (!(minTokens >= 1 && minTokens <= maxTokens)) {
    throw new RangeError(
      `minTokens is ${minTokens} and maxTokens ${maxTokens}: 1 <= minTokens <= maxTokens is required.`,
    );
  }
  return (document, before) => {
    const { sections: found, after } = sections(document, before);
    const declared = fittingLanguage(document.lang, document.blocks);
    const size = (text: string) =>
      Math.max(options.countTokens(text), Math.ceil(text.length / CHARACTERS_PER_TOKEN));
    const passages = joinIntroductions(found, (text) => size(text) < SMALL * minTokens).flatMap((section) =>
      splitSection(section, declared, { ...options, countTokens: size }),
    );
    return {
      passages: passages
        .filter(({ text }) => VISIBLE.test(text))
        .map((passage) => ({
          ...passage,
          ...languageOf(passage.text, declared),
          tokens: options.countTokens(passage.text),
        })),
      after,
    };
  };
}

/**
 * Returns a function that splits a document, or the next part of the document before, into passages: whole paragraphs of one section if
 * they fit, else whole sentences. Their texts contain every character of the document's blocks except white space, once and in order;
 * passages without a visible character are left out. No passage has more than 20 UTF-16 code units for each of its most tokens. A
 * heading is the first line of its section, but not one of its sentences, because a heading is not an answer. Neither is a line without
 * a letter or digit, such as `...` in code. After a colon, a sentence goes on to the end of the next one. A document's id becomes the id
 * of its only passage, or `id#1`, `id#2` … of several, and of a document in parts. Without an id, ids are derived from the texts. The
 * language is the declared language if the text fits it, else detected. The link to a passage opens the anchor of its first block.
 */
export function createSplitter(cut: Cutter): (document: Document) => Passage[] {
  /** The document whose parts may follow, and its passages so far. */
  let current:
    | { document: Document; count: number; place: Place; idOf: (text: string) => string }
    | undefined;
  let languages = new Map<string, number>();
  return (document) => {
    const { source, id, url, metadata, above } = document;
    // Rows of a file are documents with the same source.
    if (current?.document.source !== source) languages = new Map();
    const now =
      current && continues(document, current.document)
        ? { ...current, document }
        : { document, count: 0, place: START, idOf: contentIds(source) };
    current = now;
    const { passages, after } = cut(document, now.place);
    const { count: before, idOf } = now;
    now.count += passages.length;
    now.place = after;
    for (const { lang } of passages)
      if (lang !== undefined) languages.set(lang, (languages.get(lang) ?? 0) + 1);
    const usual = mostFrequent(languages);
    const isOnly = passages.length === 1 && document.part === undefined;
    const whole = titleLine(document.title);
    return passages.map(({ text, title, sentences, lang, guess, anchor }, i) => ({
      id: id === undefined ? idOf(text) : isOnly ? id : `${id}#${before + i + 1}`,
      text,
      title,
      sentences,
      source,
      position: before + i,
      lang: lang ?? usual ?? guess ?? 'und',
      url: anchor === undefined || url?.includes('#') ? url : url && `${url}#${anchor}`,
      anchor,
      ...(above && title.startsWith(whole) && { above }),
      metadata,
    }));
  };
}

function languageOf(text: string, declared: string | undefined): Pick<CutPassage, 'lang' | 'guess'> {
  if (declared) return { lang: declared };
  const detected = detectLanguage(text);
  return detected?.isSure ? { lang: detected.lang } : { guess: detected?.lang };
}

export function toPassages(document: Document, options: SplitOptions): Passage[] {
  return createSplitter(createCutter(options))(document);
}

function continues({ part, source, id }: Document, before: Document): boolean {
  return !!part && part - 1 === before.part && source === before.source && id === before.id;
}

function splitSection(
  section: Section,
  declared: string | undefined,
  options: SplitOptions,
): Omit<CutPassage, 'lang' | 'guess' | 'tokens'>[] {
  const { text, title, headings, paragraphStarts, anchors } = section;
  const [from, to] = headings;
  const { countTokens, minTokens, maxTokens } = options;
  const lang = declared ?? detectLanguage(text)?.lang ?? 'und';
  const segments = sentences(text, lang).flatMap(([start, end]) =>
    pieces(text.slice(start, end), lang, maxTokens, countTokens).map((piece) => shifted(piece, start)),
  );
  const starts = new Set(paragraphStarts);
  const marked = segments.map((segment, i): Segment => {
    const next = segments[i + 1];
    return { ...segment, endsParagraph: !next || starts.has(next.start) };
  });
  const textOf = (group: Segment[]) => text.slice(group[0]!.start, group.at(-1)!.end);
  const groups = pack(marked, minTokens, maxTokens, (group) => countTokens(textOf(group)));
  return groups.map((group) => {
    const body = group.filter(({ start }) => start < from || start >= to);
    const words = body.filter(({ start, end }) => WORD.test(text.slice(start, end)));
    const [answers = group] = [words, body].filter(({ length }) => length > 0);
    const whole = textOf(group);
    const spans = answers.map(({ start, end }): Span => [start - group[0]!.start, end - group[0]!.start]);
    return {
      text: whole,
      title,
      sentences: merge(spans, (before) => INTRODUCTION.test(whole.slice(...before))),
      anchor: anchors.findLast(({ start }) => start <= group[0]!.start)?.anchor,
    };
  });
}

function mostFrequent(counts: ReadonlyMap<string, number>): string | undefined {
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}
