import type { Piece } from './pieces.ts';

/** A sentence of a section, or a piece of one that is too long. */
export interface Segment extends Piece {
  /** Whether a paragraph ends with it. */
  endsParagraph: boolean;
}

/** What a cut within a paragraph costs: as much as a part that misses its size by this share. */
const PARAGRAPH_CUT = 0.25;

/**
 * Groups the segments of a section into passages. Paragraphs are taken together until they have `minTokens`; what is
 * left at the end goes with those before it. A group of more than `maxTokens` is divided into parts of similar size,
 * best where paragraphs end. Tokens of a group are estimated as the sum of its segments', and then counted by
 * `count`: none has more than `maxTokens` but a segment that has more by itself.
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
 * Divides segments into consecutive parts of at most `limit` tokens (or one segment), with the least sum of squared
 * misses of the ideal size: dynamic programming over where the last part begins.
 */
function balance(segments: Segment[], limit: number): Segment[][] {
  // A segment without tokens counts as one, which bounds how many a part can have.
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
