import type { TextEmbedder } from './embedding/embedder.ts';
import type { Suggestion } from './format/overview-types.ts';
import type { Passage } from './format/passage.ts';

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

interface Question {
  text: string;
  /** Of its passage. */
  ordinal: number;
}

/**
 * Finds questions to try first: headings and sentences of the passages that are questions and find their own passage. Spread over the
 * languages, and over the questions of each language. An index without questions has no suggestions.
 * @param vectors the embeddings of the passages
 */
export async function findSuggestions(
  passages: readonly Passage[],
  vectors: readonly Float32Array[],
  embedder: TextEmbedder,
): Promise<Suggestion[]> {
  const languages = mainLanguages(passages)
    .map((own) => ({ ...own, questions: questionsIn(passages, own.ordinals) }))
    .filter(({ questions }) => questions.length > 0);
  const found: Suggestion[] = [];
  const tried = new Set<string>();
  for (let i = 0; i < MAX_SUGGESTIONS && languages.length > 0; i++) {
    const { lang, ordinals, questions } = languages[i % languages.length]!;
    const first = Math.floor((questions.length * i) / MAX_SUGGESTIONS);
    const inOrder = [...questions.slice(first), ...questions.slice(0, first)];
    for (const { text, ordinal } of inOrder.filter((one) => !tried.has(one.text)).slice(0, MAX_TRIED)) {
      tried.add(text);
      if (nearest(await embedder.embed(text, 'query'), vectors, ordinals) !== ordinal) continue;
      found.push({ text, lang });
      break;
    }
  }
  return found;
}

function mainLanguages(passages: readonly Passage[]): { lang: string; ordinals: number[] }[] {
  const byLanguage = new Map<string, number[]>();
  passages.forEach(({ lang }, ordinal) => {
    const list = byLanguage.get(lang);
    if (list) list.push(ordinal);
    else byLanguage.set(lang, [ordinal]);
  });
  const sorted = [...byLanguage]
    .map(([lang, ordinals]) => ({ lang, ordinals }))
    .sort((a, b) => b.ordinals.length - a.ordinals.length || (a.lang < b.lang ? -1 : 1));
  return sorted.filter(({ ordinals }) => ordinals.length >= sorted[0]!.ordinals.length * MIN_SHARE);
}

/** The questions in these passages, each once, in reading order. */
function questionsIn(passages: readonly Passage[], ordinals: readonly number[]): Question[] {
  const found = new Map<string, number>();
  for (const ordinal of ordinals) {
    const { text, title, sentences } = passages[ordinal]!;
    const heading = title.split(' › ').at(-1)!;
    // Without headings, the title is a file name; a heading is also in the text.
    const headings = text.split('\n').includes(heading) ? [heading] : [];
    const texts = sentences.map(([start, end]) => text.slice(start, end).replace(/\s+/g, ' '));
    for (const one of [...headings, ...texts])
      if (isQuestion(one) && !found.has(one)) found.set(one, ordinal);
  }
  return [...found].map(([text, ordinal]) => ({ text, ordinal }));
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

/** The nearest of these passages to an embedding. */
function nearest(
  vector: Float32Array,
  vectors: readonly Float32Array[],
  ordinals: readonly number[],
): number {
  let [best, highest] = [-1, Number.NEGATIVE_INFINITY];
  for (const ordinal of ordinals) {
    const cosine = vectors[ordinal]!.reduce((sum, value, i) => sum + value * vector[i]!, 0);
    if (cosine > highest) [best, highest] = [ordinal, cosine];
  }
  return best;
}
