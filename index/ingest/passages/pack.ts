import type { Piece } from './pieces.ts';

/** A sentence of a section, or a piece of a sentence that is too long. */
export interface Segment extends Piece {
  /** Whether a paragraph ends with it. */
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
