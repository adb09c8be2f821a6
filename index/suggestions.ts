import type { TextEmbedder } from './embedding/embedder.ts';
import type { Suggestion } from './format/overview-types.ts';
import type { Passage } from './format/passage.ts';

/** How many suggestions there are at most. */
const SUGGESTIONS = 6;
/** How many texts are tried for each; embedding one takes some milliseconds. */
const TRIED = 8;
/** A language with fewer passages than this part of the first language's is passed over: it may be a mistake of detection. */
const SHARE = 0.1;

/**
 * Questions that a reader could begin with, taken from the passages as there is nothing here to write any: headings that say
 * something and short sentences which, as questions, find the passage they are from. They are spread over the languages
 * and, within each, over its passages.
 * @param vectors of the passages
 */
export async function findSuggestions(
  passages: readonly Passage[],
  vectors: readonly Float32Array[],
  embedder: TextEmbedder,
): Promise<Suggestion[]> {
  const languages = mainLanguages(passages);
  const found: Suggestion[] = [];
  for (let i = 0; i < SUGGESTIONS; i++) {
    const own = languages[i % languages.length]!;
    const part = own.ordinals.slice(share(own.ordinals, i), share(own.ordinals, i + 1));
    for (const { text, ordinal } of candidates(passages, part)) {
      if (found.some((suggestion) => suggestion.text === text)) continue;
      if (nearest(await embedder.embed(text, 'query'), vectors, own.ordinals) !== ordinal) continue;
      found.push({ text, lang: own.lang });
      break;
    }
  }
  return found;
}

const share = (list: readonly unknown[], i: number) => Math.floor((list.length * i) / SUGGESTIONS);

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
  return sorted.filter(({ ordinals }) => ordinals.length >= sorted[0]!.ordinals.length * SHARE);
}

interface Candidate {
  text: string;
  ordinal: number;
  /** Lower is tried earlier. */
  kind: number;
}

/** Texts that look like questions, of passages spread over these: questions first, then headings, then sentences, short before long. */
function candidates(passages: readonly Passage[], ordinals: readonly number[]): Candidate[] {
  const places = Array.from({ length: TRIED }, (_, i) => Math.floor((i * ordinals.length) / TRIED));
  const spread = [...new Set(places)].flatMap((place) => ordinals[place] ?? []);
  return spread
    .flatMap((ordinal): Candidate[] => {
      const { text, title, sentences } = passages[ordinal]!;
      const texts = sentences.map(([start, end]) => text.slice(start, end).replace(/\s+/g, ' '));
      const heading = title.split(' › ').at(-1)!;
      // A file's name may stand for a title; only what is in the passage is a heading.
      const headings = text.split('\n').includes(heading) && saysSomething(heading) ? [heading] : [];
      return [
        ...headings.map((one) => ({ text: one, ordinal, kind: isQuestion(one) ? 0 : 1 })),
        ...texts.filter(isSentence).map((one) => ({ text: one, ordinal, kind: isQuestion(one) ? 0 : 2 })),
      ];
    })
    .sort((a, b) => a.kind - b.kind || a.text.length - b.text.length)
    .slice(0, TRIED);
}

const isQuestion = (text: string) => /[?？؟]$/.test(text);

/** Width of a text in Latin letters: a Chinese or Japanese character says about as much as two and a half. */
function width(text: string): number {
  return text.length + 1.5 * (text.match(/[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/gu)?.length ?? 0);
}

/** No heading such as "Article 24" or "Overview". */
function saysSomething(heading: string): boolean {
  return (
    width(heading) >= 10 && width(heading) <= 60 && !/\p{N}/u.test(heading) && !/^\p{L}+$/u.test(heading)
  );
}

/** Short, whole and on its own feet: with its end, without digits, quotes and brackets. */
function isSentence(text: string): boolean {
  return (
    width(text) >= 20 &&
    width(text) <= 75 &&
    /[.?!。？！؟।]$/u.test(text) &&
    !/[\p{N}\p{Pi}\p{Ps}":;<]/u.test(text)
  );
}

/** The one of these passages that is nearest to a vector. */
function nearest(
  vector: Float32Array,
  vectors: readonly Float32Array[],
  ordinals: readonly number[],
): number {
  let [best, most] = [-1, Number.NEGATIVE_INFINITY];
  for (const ordinal of ordinals) {
    const cosine = vectors[ordinal]!.reduce((sum, value, i) => sum + value * vector[i]!, 0);
    if (cosine > most) [best, most] = [ordinal, cosine];
  }
  return best;
}
