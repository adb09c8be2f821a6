import { segments } from '../../text/segmenter.ts';

/** A range of a text, `[start, end)` in UTF-16 code units, without white space at either end. */
export interface Piece {
  start: number;
  end: number;
  tokens: number;
}

/** The planned share of `maxTokens` in a piece. Pieces of equal length differ in tokens, so this leaves some reserve. */
const FILL = 0.9;
/** The largest distance of a cut from its ideal place, as a share of a piece. */
const REACH = 0.3;
/** UTF-16 code units on either side of the ideal place that are searched for words and graphemes. */
const WINDOW = 100;

const CLAUSE_END = /[,;:،؛\p{Pd}](?=\s)|[，、；：]/gu;
const WHITE_SPACE = /\s+/g;

/**
 * Splits a text into pieces of similar length, each of at most `maxTokens`. Together they contain all characters except white space.
 * Splits after a clause mark, else at white space, else between words, graphemes or characters. Never splits a character.
 */
export function pieces(
  text: string,
  lang: string,
  maxTokens: number,
  countTokens: (text: string) => number,
): Piece[] {
  const content = text.trim();
  if (content === '') return [];
  const offset = text.indexOf(content);
  const tokens = countTokens(content);
  if (tokens <= maxTokens || isCharacter(content)) {
    return [{ start: offset, end: offset + content.length, tokens }];
  }
  const count = Math.max(2, Math.ceil(tokens / (maxTokens * FILL)));
  const cuts = [0];
  for (let i = 1; i < count; i++) {
    const cut = cutNear(content, (content.length * i) / count, content.length / count, lang);
    if (cut > cuts.at(-1)!) cuts.push(cut);
  }
  return cuts.flatMap((cut, i) => {
    const parts = pieces(content.slice(cut, cuts[i + 1]), lang, maxTokens, countTokens);
    return parts.map(({ start, end, tokens }) => ({
      start: offset + cut + start,
      end: offset + cut + end,
      tokens,
    }));
  });
}

/** The best place to cut a text near the ideal place. Never at its start or end. */
function cutNear(text: string, ideal: number, size: number, lang: string): number {
  const from = Math.max(1, Math.floor(ideal - size * REACH));
  const to = Math.min(text.length - 1, Math.ceil(ideal + size * REACH));
  const nearest = (places: number[]): number | undefined =>
    places
      .filter((place) => place >= from && place <= to)
      .reduce<number | undefined>(
        (best, place) =>
          best === undefined || Math.abs(place - ideal) < Math.abs(best - ideal) ? place : best,
        undefined,
      );
  const ends = (mark: RegExp) =>
    [...text.slice(from, to).matchAll(mark)].map((m) => from + m.index + m[0].length);
  const boundaries = (granularity: 'word' | 'grapheme') => {
    const start = Math.max(0, Math.floor(ideal) - WINDOW);
    const found = [...segments(text.slice(start, start + 2 * WINDOW), granularity, lang)];
    // The first segment starts with the slice, which may not be a boundary.
    return found.slice(1).map(({ index }) => start + index);
  };
  return (
    nearest(ends(CLAUSE_END)) ??
    nearest(ends(WHITE_SPACE)) ??
    nearest(boundaries('word')) ??
    nearest(boundaries('grapheme')) ??
    betweenCharacters(text, Math.min(to, Math.max(from, Math.round(ideal))))
  );
}

function betweenCharacters(text: string, place: number): number {
  const isInPair = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(place - 1, place + 1));
  if (!isInPair) return place;
  return place + 1 < text.length ? place + 1 : place - 1;
}

function isCharacter(text: string): boolean {
  return text.length <= 2 && [...text].length === 1;
}
