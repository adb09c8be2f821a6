import { Numbers } from '../format/compact.ts';
import type { Suggestion } from '../format/overview-types.ts';
import type { Passage } from '../format/passage.ts';

/** The number of suggestions. */
const MAX_SUGGESTIONS = 6;
/** Questions, and headings, tried per suggestion. Embedding one takes a few milliseconds. */
const MAX_TRIED = 8;
/** Languages with a smaller share of the most frequent language's passages are skipped: they may be detection errors. */
const MIN_SHARE = 0.1;

/** A semicolon is the question mark of Greek. */
const QUESTION_MARK = /(?:[?？؟⁇፧]|\p{Script=Grek}[;\u037E])$/u;
/** A capital letter, or a letter of a script without capitals: a sentence that starts with a small one is a fragment. */
const START = /^[¿\p{Lu}\p{Lt}\p{Lo}]/u;
/** Digits, quotes and brackets refer to something else in the text. */
const REFERENCE = /[\p{N}\p{Pi}\p{Ps}":<]/u;
/** A space, or a letter of a script that has no capitals and may have no spaces. */
const SEVERAL_WORDS = /[\s\p{Lo}]/u;
/** Widths of a suggestion. */
const WIDTHS = { min: 10, max: 75 };

/** Questions that are tried before the vectors are read again. */
const TRIED_AT_ONCE = 4;
/** Most questions, and most headings, that are collected in a language. Then every second is dropped. */
const MAX_COLLECTED = 8192;

/** Texts with the ordinals of their passages: each once, in reading order. */
class Collected {
  texts = new Map<string, number>();
  #seen = 0;
  /** One of how many is collected. */
  #stride = 1;

  add(text: string, ordinal: number): void {
    if (this.texts.has(text) || this.#seen++ % this.#stride !== 0) return;
    this.texts.set(text, ordinal);
    if (this.texts.size < MAX_COLLECTED) return;
    this.texts = new Map([...this.texts].filter((_, i) => i % 2 === 0));
    this.#stride *= 2;
  }

  /** The next texts to try for a suggestion. Those of successive suggestions are spread over the texts. */
  next(suggestion: number, tried: ReadonlySet<string>): [text: string, ordinal: number][] {
    const all = [...this.texts];
    const first = Math.floor((all.length * suggestion) / MAX_SUGGESTIONS);
    const inOrder = [...all.slice(first), ...all.slice(0, first)];
    return inOrder.filter(([text]) => !tried.has(text)).slice(0, MAX_TRIED);
  }
}

/** A language's passages, with their questions and other headings. */
class Language {
  readonly lang: string;
  readonly number: number;
  passages = 0;
  readonly questions = new Collected();
  readonly headings = new Collected();

  constructor(lang: string, number: number) {
    this.lang = lang;
    this.number = number;
  }
}

/**
 * Finds texts to search for first: headings and sentences of the passages that are questions and find their own passage, or else other
 * headings. Spread over the languages, and over the texts of each language.
 */
export class SuggestionFinder {
  readonly #languages = new Map<string, Language>();
  /** The number of each passage's language. */
  readonly #languageOf = new Numbers();

  /** Adds the passage of the next ordinal. */
  add(passage: Passage): void {
    const { lang } = passage;
    const language = this.#languages.get(lang) ?? new Language(lang, this.#languages.size);
    this.#languages.set(lang, language);
    language.passages++;
    const ordinal = this.#languageOf.length;
    const { heading, questions } = textsOf(passage);
    if (heading !== undefined) language.headings.add(heading, ordinal);
    for (const text of questions) language.questions.add(text, ordinal);
    this.#languageOf.push(language.number);
  }

  /**
   * @param vectors returns the embeddings of the passages, in order
   * @param embed embeds a text as a question; without it, no text needs to find its passage
   */
  async find(
    vectors: () => Iterable<Float32Array>,
    embed?: (text: string) => Promise<Float32Array>,
  ): Promise<Suggestion[]> {
    const languages = this.#mainLanguages();
    const found: Suggestion[] = [];
    const tried = new Set<string>();
    for (let i = 0; i < MAX_SUGGESTIONS && languages.length > 0; i++) {
      const { number, lang, questions, headings } = languages[i % languages.length]!;
      const firstOf = async (next: [text: string, ordinal: number][]) => {
        for (let start = 0; start < next.length; start += TRIED_AT_ONCE) {
          const some = next.slice(start, start + TRIED_AT_ONCE);
          const queries = embed && (await Promise.all(some.map(([text]) => embed(text))));
          const nearest = queries && this.#nearest(queries, vectors(), number);
          const right = nearest ? some.findIndex(([, ordinal], query) => nearest[query] === ordinal) : 0;
          for (const [text] of right === -1 ? some : some.slice(0, right + 1)) tried.add(text);
          if (right !== -1) return some[right]![0];
        }
        return undefined;
      };
      const text = (await firstOf(questions.next(i, tried))) ?? (await firstOf(headings.next(i, tried)));
      if (text !== undefined) found.push({ text, lang });
    }
    return found;
  }

  /** The languages with many passages, most first, that have texts. */
  #mainLanguages(): Language[] {
    const sorted = [...this.#languages.values()].sort(
      (a, b) => b.passages - a.passages || (a.lang < b.lang ? -1 : 1),
    );
    return sorted.filter(
      ({ passages, questions, headings }) =>
        passages >= sorted[0]!.passages * MIN_SHARE && questions.texts.size + headings.texts.size > 0,
    );
  }

  /** For each query, the ordinal of the nearest passage in a language. */
  #nearest(queries: readonly Float32Array[], vectors: Iterable<Float32Array>, language: number): number[] {
    const best = queries.map(() => -1);
    const highest = queries.map(() => Number.NEGATIVE_INFINITY);
    let ordinal = -1;
    for (const vector of vectors) {
      if (this.#languageOf.get(++ordinal) !== language) continue;
      queries.forEach((query, i) => {
        let cosine = 0;
        for (let j = 0; j < query.length; j++) cosine += vector[j]! * query[j]!;
        if (!(cosine > highest[i]!)) return;
        best[i] = ordinal;
        highest[i] = cosine;
      });
    }
    return best;
  }
}

/** The questions in a passage, in reading order, and its heading if that is no question but fit to search for. */
function textsOf({ text, title, sentences }: Passage): { heading: string | undefined; questions: string[] } {
  const last = title.split(' › ').at(-1)!;
  // Without headings, the title is a file name; a heading is also in the text.
  const heading = text.split('\n').includes(last) && isComplete(last) ? last : undefined;
  const texts = sentences.map(([start, end]) => text.slice(start, end).replace(/\s+/g, ' '));
  const questions = texts.filter((one) => QUESTION_MARK.test(one) && isComplete(one));
  if (heading === undefined) return { heading, questions };
  if (QUESTION_MARK.test(heading)) return { heading: undefined, questions: [heading, ...questions] };
  return { heading: SEVERAL_WORDS.test(heading) ? heading : undefined, questions };
}

/** Whether a text is neither too short nor too long, and no fragment. */
function isComplete(text: string): boolean {
  const size = width(text);
  return size >= WIDTHS.min && size <= WIDTHS.max && START.test(text) && !REFERENCE.test(text);
}

/** Width of a text in Latin letters. A Chinese or Japanese character counts 2.5. */
function width(text: string): number {
  return text.length + 1.5 * (text.match(/[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/gu)?.length ?? 0);
}
