import type { Match } from './answer.ts';

/** Matches with less than this share of the heaviest match's weight are not marked. */
const WEAK = 0.25;

/** What may separate two words that share a mark. */
const JOINT = /^(?:[^\S\n]*|[-‐'’])$/u;

/**
 * Returns the parts of a passage to mark, as `[start, end)` in UTF-16 code units, in reading order. Omits weak matches. Merges
 * matches that overlap or follow each other.
 */
export function marksOf(text: string, matches: readonly Match[] = []): [start: number, end: number][] {
  const least = WEAK * Math.max(...matches.map(({ weight }) => weight));
  const strong = matches.filter(({ weight, text: [start, end] }) => weight >= least && start < end);
  const marks: [start: number, end: number][] = [];
  for (const [start, end] of strong.map((match) => match.text).sort(([a], [b]) => a - b)) {
    const last = marks.at(-1);
    if (last && (start <= last[1] || JOINT.test(text.slice(last[1], start))))
      last[1] = Math.max(last[1], end);
    else marks.push([start, end]);
  }
  return marks;
}

/** A part of a text, with or without a mark. */
interface MarkedPart {
  part: string;
  isMarked: boolean;
}

/** Splits a text from one offset to another at its marks. */
export function splitAtMarks(
  text: string,
  from: number,
  to: number,
  marks: readonly [start: number, end: number][],
): MarkedPart[] {
  const parts: MarkedPart[] = [];
  const add = (start: number, end: number, isMarked: boolean) => {
    if (start < end) parts.push({ part: text.slice(start, end), isMarked });
  };
  let done = from;
  for (const [start, end] of marks) {
    const [first, last] = [Math.max(start, from), Math.min(end, to)];
    if (first >= last) continue;
    add(done, first, false);
    add(first, last, true);
    done = last;
  }
  add(done, to, false);
  return parts;
}
