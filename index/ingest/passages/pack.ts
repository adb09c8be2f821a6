import { segments } from '../../text/segmenter.ts';

/** A range of a text, `[start, end)` in UTF-16 code units, without white space at either end. */
interface Piece {
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
    return parts.map((piece) => shifted(piece, offset + cut));
  });
}

export const shifted = ({ start, end, tokens }: Piece, by: number): Piece => ({
  start: start + by,
  end: end + by,
  tokens,
});

/** The best place to cut a text near the ideal place. Never at its start or end. */
function cutNear(text: string, ideal: number, size: number, lang: string): number {
  const from = Math.max(1, Math.floor(ideal - size * REACH));
  const to = Math.min(text.length - 1, Math.ceil(ideal + size * REACH));
  const nearest = (places: number[]): number | undefined =>
    places
      .filter((place) => place >= from && place <= to)
      .sort((a, b) => Math.abs(a - ideal) - Math.abs(b - ideal))[0];
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

/** A sentence of a section, or a piece of a sentence that is too long. */
export interface Segment extends Piece {
  endsParagraph: boolean;
}

/** The cost of a cut inside a paragraph: equal to a part that misses its ideal size by this share. */
const PARAGRAPH_CUT = 0.25;

/**
 * Groups the segments of a section into passages. Joins paragraphs until they have `minTokens`; the remainder at the end joins the
 * last group. Divides a group of more than `maxTokens` into parts of similar size, preferably between paragraphs. No passage has
 * more than `maxTokens`, unless a single segment does.
 * @param count counts the tokens of a group, which may differ from the sum over its segments
 */
export function pack(
  segments: Segment[],
  minTokens: number,
  maxTokens: number,
  count: (group: Segment[]) => number,
): Segment[][] {
  const divide = (group: Segment[]): Segment[][] => {
    const tokens = group.reduce((sum, segment) => sum + segment.tokens, 0);
    if (group.length === 1 || (tokens <= maxTokens && count(group) <= maxTokens)) return [group];
    return balance(group, tokens > maxTokens ? maxTokens : Math.ceil(tokens / 2)).flatMap(divide);
  };
  return joinParagraphs(segments, minTokens).flatMap(divide);
}

function joinParagraphs(segments: Segment[], minTokens: number): Segment[][] {
  const groups: Segment[][] = [];
  let group: Segment[] = [];
  let tokens = 0;
  for (const segment of segments) {
    group.push(segment);
    tokens += segment.tokens;
    if (!segment.endsParagraph || tokens < minTokens) continue;
    groups.push(group);
    group = [];
    tokens = 0;
  }
  return [...groups.slice(0, -1), [...(groups.at(-1) ?? []), ...group]];
}

/**
 * Divides segments into consecutive parts of at most `limit` tokens (or one segment), with the smallest sum of squared deviations
 * from the ideal size. Dynamic programming over the start of the last part.
 */
function balance(segments: Segment[], limit: number): Segment[][] {
  // Counting at least one token per segment bounds the number of segments in a part.
  const sizes = segments.map((segment) => Math.max(1, segment.tokens));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const ideal = total / Math.ceil(total / limit);
  const costs = [0];
  const starts = [0];
  for (let end = 1; end <= segments.length; end++) {
    const cut = end === segments.length || segments[end - 1]!.endsParagraph ? 0 : PARAGRAPH_CUT ** 2;
    let least = Number.POSITIVE_INFINITY;
    let size = 0;
    for (let start = end - 1; start >= 0; start--) {
      size += sizes[start]!;
      if (size > limit && start < end - 1) break;
      const cost = costs[start]! + (size / ideal - 1) ** 2 + cut;
      if (cost >= least) continue;
      least = cost;
      starts[end] = start;
    }
    costs.push(least);
  }
  const parts: Segment[][] = [];
  for (let end = segments.length; end > 0; end = starts[end]!) parts.push(segments.slice(starts[end]!, end));
  return parts.reverse();
}
