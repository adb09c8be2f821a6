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

interface Question {
  text: string;
  /** Of its passage. */
  ordinal: number;
}

/** The questions of a language's passages, each once, in reading order. */
class Collected {
  /** The ordinals of the passages, by question. */
  #questions = new Map<string, number>();
  #seen = 0;
  /** One of how many is collected. */
  #stride = 1;

  add({ text, ordinal }: Question): void {
    if (this.#questions.has(text) || this.#seen++ % this.#stride !== 0) return;
    this.#questions.set(text, ordinal);
    if (this.#questions.size < MAX_COLLECTED) return;
    this.#questions = new Map([...this.#questions].filter((_, i) => i % 2 === 0));
    this.#stride *= 2;
  }

  list(): Question[] {
    return Array.from(this.#questions, ([text, ordinal]) => ({ text, ordinal }));
  }
}

/**
 * Finds questions to try first: headings and sentences of the passages that are questions and find their own passage. Spread over the
 * languages, and over the questions of each language. An index without questions has no suggestions.
 */
export class SuggestionFinder {
  readonly #languages: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #collected: Collected[] = [];
  /** The number of each passage's language. */
  readonly #languageOf = new Numbers();
  readonly #passages: number[] = [];

  /** Adds the passage of the next ordinal. */
  add(passage: Passage): void {
    const number = this.#numberOf(passage.lang);
    const ordinal = this.#languageOf.length;
    this.#languageOf.push(number);
    this.#passages[number]!++;
    for (const text of questionsIn(passage)) this.#collected[number]!.add({ text, ordinal });
  }

  /**
   * @param vectors returns the embeddings of the passages, in order
   * @param embed embeds a question
   */
  async find(
    vectors: () => Iterable<Float32Array>,
    embed: (question: string) => Promise<Float32Array>,
  ): Promise<Suggestion[]> {
    const languages = this.#mainLanguages()
      .map((number) => ({
        number,
        lang: this.#languages[number]!,
        questions: this.#collected[number]!.list(),
      }))
      .filter(({ questions }) => questions.length > 0);
    const found: Suggestion[] = [];
    const tried = new Set<string>();
    for (let i = 0; i < MAX_SUGGESTIONS && languages.length > 0; i++) {
      const { number, lang, questions } = languages[i % languages.length]!;
      const first = Math.floor((questions.length * i) / MAX_SUGGESTIONS);
      const inOrder = [...questions.slice(first), ...questions.slice(0, first)];
      const next = inOrder.filter(({ text }) => !tried.has(text)).slice(0, MAX_TRIED);
      for (let start = 0; start < next.length; start += TRIED_AT_ONCE) {
        const some = next.slice(start, start + TRIED_AT_ONCE);
        const queries = await Promise.all(some.map(({ text }) => embed(text)));
        const nearest = this.#nearest(queries, vectors(), number);
        const right = some.findIndex(({ ordinal }, query) => nearest[query] === ordinal);
        for (const { text } of right === -1 ? some : some.slice(0, right + 1)) tried.add(text);
        if (right === -1) continue;
        found.push({ text: some[right]!.text, lang });
        break;
      }
    }
    return found;
  }

  /** The numbers of the languages with the most passages. */
  #mainLanguages(): number[] {
    const sorted = [...this.#languages.keys()].sort(
      (a, b) =>
        this.#passages[b]! - this.#passages[a]! || (this.#languages[a]! < this.#languages[b]! ? -1 : 1),
    );
    return sorted.filter((number) => this.#passages[number]! >= this.#passages[sorted[0]!]! * MIN_SHARE);
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

  #numberOf(lang: string): number {
    const known = this.#numbers.get(lang);
    if (known !== undefined) return known;
    const number = this.#languages.push(lang) - 1;
    this.#numbers.set(lang, number);
    this.#collected.push(new Collected());
    this.#passages.push(0);
    return number;
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
