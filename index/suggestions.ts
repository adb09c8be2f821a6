import type { TextEmbedder } from './embedding/embedder.ts';
import type { Suggestion } from './format/overview-types.ts';
import type { Passage } from './format/passage.ts';

/** The number of suggestions. */
const MAX_SUGGESTIONS = 6;
/** Texts tried per suggestion. Embedding one takes a few milliseconds. */
const MAX_TRIED = 8;
/** Languages with a smaller share of the most frequent language's passages are skipped: they may be detection errors. */
const MIN_SHARE = 0.1;

/**
 * Finds questions to try first: headings and short sentences of the passages that, as questions, find their own passage. Spread over
 * the languages, and over the passages of each language.
 * @param vectors the embeddings of the passages
 */
export async function findSuggestions(
  passages: readonly Passage[],
  vectors: readonly Float32Array[],
  embedder: TextEmbedder,
): Promise<Suggestion[]> {
  const languages = mainLanguages(passages);
  const found: Suggestion[] = [];
  for (let i = 0; i < MAX_SUGGESTIONS; i++) {
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

const share = (list: readonly unknown[], i: number) => Math.floor((list.length * i) / MAX_SUGGESTIONS);

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

interface Candidate {
  text: string;
  ordinal: number;
  /** Lower ones are tried first. */
  kind: number;
}

/** Texts to try, from passages spread evenly over these: questions first, then headings, then sentences; short ones before long ones. */
function candidates(passages: readonly Passage[], ordinals: readonly number[]): Candidate[] {
  const places = Array.from({ length: MAX_TRIED }, (_, i) => Math.floor((i * ordinals.length) / MAX_TRIED));
  const spread = [...new Set(places)].flatMap((place) => ordinals[place] ?? []);
  return spread
    .flatMap((ordinal): Candidate[] => {
      const { text, title, sentences } = passages[ordinal]!;
      const texts = sentences.map(([start, end]) => text.slice(start, end).replace(/\s+/g, ' '));
      const heading = title.split(' › ').at(-1)!;
      // Without headings, the title is a file name; a heading is also in the text.
      const headings = text.split('\n').includes(heading) && isInformative(heading) ? [heading] : [];
      return [
        ...headings.map((one) => ({ text: one, ordinal, kind: isQuestion(one) ? 0 : 1 })),
        ...texts.filter(isSentence).map((one) => ({ text: one, ordinal, kind: isQuestion(one) ? 0 : 2 })),
      ];
    })
    .sort((a, b) => a.kind - b.kind || a.text.length - b.text.length)
    .slice(0, MAX_TRIED);
}

const isQuestion = (text: string) => /[?？؟]$/.test(text);

/** Width of a text in Latin letters. A Chinese or Japanese character counts 2.5. */
function width(text: string): number {
  return text.length + 1.5 * (text.match(/[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/gu)?.length ?? 0);
}

/** Excludes headings such as "Article 24" or "Overview". */
function isInformative(heading: string): boolean {
  return (
    width(heading) >= 10 && width(heading) <= 60 && !/\p{N}/u.test(heading) && !/^\p{L}+$/u.test(heading)
  );
}

/** Whether a text is a short, complete sentence without digits, quotes and brackets. */
function isSentence(text: string): boolean {
  return (
    width(text) >= 20 &&
    width(text) <= 75 &&
    /[.?!。？！؟।]$/u.test(text) &&
    !/[\p{N}\p{Pi}\p{Ps}":;<]/u.test(text)
  );
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
