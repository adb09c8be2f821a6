import type { Range } from '../embedding/tokenizer.ts';
import { segments } from '../text/segmenter.ts';
import type { Match } from './answer.ts';

/** Tokens that are less similar match by chance. */
const LEAST_SIMILARITY = 0.4;

/** Each question token's most similar token of a passage. */
interface Alignment {
  /** For each question token: the similarity, and the number of the passage's token. */
  best: Float32Array;
  /** The weight of each question token. */
  weights: Float32Array;
}

/** A text, and the range of each of its tokens. */
interface Placed {
  text: string;
  places: readonly Range[];
}

/**
 * Returns the words of a question and the words of a passage that match them best, the strongest match first. A match of several tokens
 * has the sum of their weights.
 */
export function matchesOf({ best, weights }: Alignment, question: Placed, passage: Placed): Match[] {
  const [queryWord, textWord] = [wordFinder(question), wordFinder(passage)];
  const total = weights.reduce((sum, weight, i) => sum + weight * Math.max(0, best[2 * i]!), 0);
  const found = new Map<string, Match>();
  question.places.forEach((place, i) => {
    const similarity = best[2 * i]!;
    const other = passage.places[best[2 * i + 1]!];
    if (similarity < LEAST_SIMILARITY || !other) return;
    const [query, text] = [queryWord(place), textWord(other)];
    if (!query || !text) return;
    const key = `${query} ${text}`;
    const weight = (found.get(key)?.weight ?? 0) + (weights[i]! * similarity) / total;
    found.set(key, { query, text, weight });
  });
  return [...found.values()].sort((a, b) => b.weight - a.weight || a.query[0] - b.query[0]);
}

/** Returns a function from a token's range to that of the words that contain it. Undefined for a range without a word. */
function wordFinder({ text }: Placed): (place: Range) => Range | undefined {
  const words = [...segments(text, 'word')].flatMap(({ segment, index }): Range[] =>
    /[\p{L}\p{N}]/u.test(segment) ? [[index, index + segment.length]] : [],
  );
  return ([start, end]) => {
    const inside = words.filter(([from, to]) => from < end && to > start);
    return inside.length > 0 ? [inside[0]![0], inside.at(-1)![1]] : undefined;
  };
}
