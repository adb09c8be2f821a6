import { Numbers } from '../format/compact.ts';
import type { Suggestion } from '../format/overview-types.ts';
import type { Passage } from '../format/passage.ts';

/** The number of suggestions. */
const MAX_SUGGESTIONS = 6;
/** Questions tried per suggestion. Embedding one takes a few milliseconds. */
const MAX_TRIED = 8;
/** Languages with a smaller share of the most frequent language's passages are skipped: they may be detection errors. */
const MIN_SHARE = 0.1;

/** A semicolon is the question mark of Greek. */
const QUESTION_MARK = /(?:[?？؟⁇፧]|\p{Script=Grek}[;\u037E])$/u;
/** A capital letter, or a letter of a script without capitals: a sentence that starts with a small one is a fragment. */
const START = /^[¿\p{Lu}\p{Lt}\p{Lo}]/u;
/** Digits, quotes and brackets refer to something else in the text. */
const REFERENCE = /[\p{N}\p{Pi}\p{Ps}":<]/u;
/** Widths of a question. */
const WIDTHS = { min: 10, max: 75 };

/** Questions that are tried before the vectors are read again. */
const TRIED_AT_ONCE = 4;
/** Most questions that are collected in a language. Then every second is dropped. */
const MAX_COLLECTED = 8192;

/** A language's passages, and their questions: each once, in reading order. */
class Language {
  readonly lang: string;
  readonly number: number;
  passages = 0;
  /** The ordinals of the questions' passages. */
  questions = new Map<string, number>();
  #seen = 0;
  /** One of how many questions is collected. */
  #stride = 1;

  constructor(lang: string, number: number) {
    this.lang = lang;
    this.number = number;
  }

  add(question: string, ordinal: number): void {
    if (this.questions.has(question) || this.#seen++ % this.#stride !== 0) return;
    this.questions.set(question, ordinal);
    if (this.questions.size < MAX_COLLECTED) return;
    this.questions = new Map([...this.questions].filter((_, i) => i % 2 === 0));
    this.#stride *= 2;
  }
}

/**
 * Finds questions to try first: headings and sentences of the passages that are questions and find their own passage. Spread over the
 * languages, and over the questions of each language. An index without questions has no suggestions.
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
    for (const text of questionsIn(passage)) language.add(text, this.#languageOf.length);
    this.#languageOf.push(language.number);
  }

  /** @param vectors returns the embeddings of the passages, in order */
  async find(
    vectors: () => Iterable<Float32Array>,
    embed: (question: string) => Promise<Float32Array>,
  ): Promise<Suggestion[]> {
    const languages = this.#mainLanguages();
    const found: Suggestion[] = [];
    const tried = new Set<string>();
    for (let i = 0; i < MAX_SUGGESTIONS && languages.length > 0; i++) {
      const { number, lang, questions } = languages[i % languages.length]!;
      const first = Math.floor((questions.size * i) / MAX_SUGGESTIONS);
      const inOrder = [...[...questions].slice(first), ...[...questions].slice(0, first)];
      const next = inOrder.filter(([text]) => !tried.has(text)).slice(0, MAX_TRIED);
      for (let start = 0; start < next.length; start += TRIED_AT_ONCE) {
        const some = next.slice(start, start + TRIED_AT_ONCE);
        const queries = await Promise.all(some.map(([text]) => embed(text)));
        const nearest = this.#nearest(queries, vectors(), number);
        const right = some.findIndex(([, ordinal], query) => nearest[query] === ordinal);
        for (const [text] of right === -1 ? some : some.slice(0, right + 1)) tried.add(text);
        if (right === -1) continue;
        found.push({ text: some[right]![0], lang });
        break;
      }
    }
    return found;
  }

  /** The languages with many passages, most first, that have questions. */
  #mainLanguages(): Language[] {
    const sorted = [...this.#languages.values()].sort(
      (a, b) => b.passages - a.passages || (a.lang < b.lang ? -1 : 1),
    );
    return sorted.filter(
      ({ passages, questions }) => passages >= sorted[0]!.passages * MIN_SHARE && questions.size > 0,
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

/** The questions in a passage, in reading order. */
function questionsIn({ text, title, sentences }: Passage): string[] {
  const heading = title.split(' › ').at(-1)!;
  // Without headings, the title is a file name; a heading is also in the text.
  const headings = text.split('\n').includes(heading) ? [heading] : [];
  const texts = sentences.map(([start, end]) => text.slice(start, end).replace(/\s+/g, ' '));
  return [...headings, ...texts].filter(isQuestion);
}

function isQuestion(text: string): boolean {
  const size = width(text);
  return (
    size >= WIDTHS.min &&
    size <= WIDTHS.max &&
    QUESTION_MARK.test(text) &&
    START.test(text) &&
    !REFERENCE.test(text)
  );
}

/** Width of a text in Latin letters. A Chinese or Japanese character counts 2.5. */
function width(text: string): number {
  return text.length + 1.5 * (text.match(/[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/gu)?.length ?? 0);
}
