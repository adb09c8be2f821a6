import { rowsOf, type Segment } from './lines.ts';

/** A white strip between two columns. */
interface Gutter {
  x0: number;
  x1: number;
  top: number;
  bottom: number;
}

/** In font sizes. */
const MIN_GUTTER = 0.6;
/** Lines that a column has on a page, at least. */
const MIN_LINES = 3;
/** More segments are no page of prose, and comparing them would take long. */
const MAX_SEGMENTS = 6000;
/** How many rows of a page may be compared with gaps. Real pages take fewer than 100,000. */
const MAX_STEPS = 4_000_000;

/**
 * Divides a page into blocks of text in the order of reading: a recursive XY-cut. A white strip is a gutter if the content of the page
 * has all of the left side before all of the right side. If the content alternates between the sides, they are cells of a table.
 * Columns of right-to-left text are read from the right.
 */
export function blocksInOrder(segments: Segment[], rightToLeft: boolean): Segment[][] {
  if (segments.length > MAX_SEGMENTS) return [segments];
  const blocks: Segment[][] = [];
  const pending = [segments];
  const budget = { steps: MAX_STEPS };
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const parts = divide(next, rightToLeft, budget);
    if (!parts) {
      if (next.length > 0) blocks.push(next);
      continue;
    }
    pending.push(...parts.reverse());
  }
  return blocks;
}

interface Budget {
  steps: number;
}

function divide(segments: Segment[], rightToLeft: boolean, budget: Budget): Segment[][] | undefined {
  if (segments.length < 2) return undefined;
  const rows = rowsOf(segments);
  budget.steps -= rows.length;
  const gutter = bestGutter(rows, budget);
  if (!gutter) return undefined;
  const above = segments.filter((segment) => middle(segment) < gutter.top);
  const below = segments.filter((segment) => middle(segment) > gutter.bottom);
  const band = segments.filter(
    (segment) => middle(segment) >= gutter.top && middle(segment) <= gutter.bottom,
  );
  if (above.length > 0 || below.length > 0) return [above, band, below].filter(({ length }) => length > 0);
  const sections = sectionsOf(rows, gutter);
  if (sections) return sections;
  const at = (gutter.x0 + gutter.x1) / 2;
  const sides = [segments.filter(({ x0 }) => x0 < at), segments.filter(({ x0 }) => x0 >= at)];
  return rightToLeft ? sides.reverse() : sides;
}

/** The tallest gutter between the segments of a block. */
function bestGutter(rows: Segment[][], budget: Budget): Gutter | undefined {
  const sorted = rows.map((row) => [...row].sort((one, other) => one.x0 - other.x0));
  let best: Gutter | undefined;
  let bestHeight = 0;
  const seen = new Set<string>();
  for (const [at, row] of sorted.entries()) {
    let end = Number.NEGATIVE_INFINITY;
    for (const segment of row) {
      const gap = { x0: end, x1: segment.x0 };
      end = Math.max(end, segment.x1);
      if (gap.x0 === Number.NEGATIVE_INFINITY || gap.x1 - gap.x0 < MIN_GUTTER * segment.size) continue;
      if (budget.steps < 0) return undefined;
      const gutter = extend(sorted, at, gap, MIN_GUTTER * segment.size);
      budget.steps -= gutter.to - gutter.from;
      const key = `${gutter.from} ${gutter.to} ${gutter.x0.toFixed()} ${gutter.x1.toFixed()}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const band = sorted.slice(gutter.from, gutter.to + 1);
      const top = Math.min(...band[0]!.map(middle));
      const bottom = Math.max(...band.at(-1)!.map(middle));
      if (bottom - top <= bestHeight || !separatesColumns(band, (gutter.x0 + gutter.x1) / 2)) continue;
      best = { x0: gutter.x0, x1: gutter.x1, top: top - 0.1, bottom: bottom + 0.1 };
      bestHeight = bottom - top;
    }
  }
  return best;
}

/** Extends a gap over the rows above and below that leave a part of it white, and trims rows that are on one side only. */
function extend(rows: Segment[][], at: number, gap: { x0: number; x1: number }, width: number) {
  let { x0, x1 } = gap;
  const fits = (row: Segment[]) => {
    const clipped = clip(row, x0, x1);
    if (clipped.x1 - clipped.x0 < width) return false;
    ({ x0, x1 } = clipped);
    return true;
  };
  let from = at;
  let to = at;
  while (from > 0 && fits(rows[from - 1]!)) from--;
  while (to < rows.length - 1 && fits(rows[to + 1]!)) to++;
  return { x0, x1, from, to };
}

/** The widest white part of a strip beside the segments of a row. */
function clip(row: Segment[], x0: number, x1: number): { x0: number; x1: number } {
  let best = { x0, x1: x0 };
  let start = x0;
  for (const segment of row) {
    if (segment.x1 <= start) continue;
    const end = Math.min(segment.x0, x1);
    if (end - start > best.x1 - best.x0) best = { x0: start, x1: end };
    start = Math.max(start, segment.x1);
    if (start >= x1) break;
  }
  if (x1 - start > best.x1 - best.x0) best = { x0: start, x1 };
  return best;
}

function separatesColumns(band: Segment[][], at: number): boolean {
  const left = band.filter((row) => row.some(({ x0 }) => x0 < at));
  const right = band.filter((row) => row.some(({ x0 }) => x0 >= at));
  const lines = Math.min(left.length, right.length);
  const segments = band.flat();
  const changes = changesOf(segments, at);
  if (lines < MIN_LINES) return lines >= 2 && changes === 1 && isProse(band, at);
  if (changes <= Math.max(1, lines / 5)) return true;
  // Some programs write a page line by line across its columns. Then both sides must look like prose.
  return lines >= 12 && isProse(band, at);
}

/** How often the content changes from one side to the other. */
function changesOf(segments: Segment[], at: number): number {
  const sides = [...segments].sort((one, other) => one.order - other.order).map(({ x0 }) => x0 < at);
  return sides.filter((side, i) => i > 0 && side !== sides[i - 1]).length;
}

/** Whether most lines on both sides are long and about as wide as their side. */
function isProse(band: Segment[][], at: number): boolean {
  return [true, false].every((isLeft) => {
    const rows = band
      .map((row) => row.filter(({ x0 }) => x0 < at === isLeft))
      .filter(({ length }) => length > 0);
    const widths = rows.map(
      (row) => Math.max(...row.map(({ x1 }) => x1)) - Math.min(...row.map(({ x0 }) => x0)),
    );
    const width = Math.max(...widths);
    const long = rows.filter((row, i) => widths[i]! > 0.75 * width && widths[i]! > 12 * row[0]!.size);
    return long.length >= 0.6 * rows.length;
  });
}

/**
 * Columns that are balanced above and below a short heading look like one pair. The content has the upper pair first, so that it
 * changes sides more than once.
 */
function sectionsOf(rows: Segment[][], gutter: Gutter): Segment[][] | undefined {
  const at = (gutter.x0 + gutter.x1) / 2;
  if (changesOf(rows.flat(), at) <= 1) return undefined;
  const last = rows.map((row) => Math.max(...row.map(({ order }) => order)));
  const first = rows.map((row) => Math.min(...row.map(({ order }) => order)));
  for (let i = 1; i < last.length; i++) last[i] = Math.max(last[i]!, last[i - 1]!);
  for (let i = first.length - 2; i >= 0; i--) first[i] = Math.min(first[i]!, first[i + 1]!);
  for (let i = 1; i < rows.length; i++) {
    if (last[i - 1]! > first[i]!) continue;
    const parts = [rows.slice(0, i), rows.slice(i)];
    if (
      parts.every((part) => isOneSided(part, at) || changesOf(part.flat(), at) < changesOf(rows.flat(), at))
    )
      return parts.map((part) => part.flat());
  }
  return undefined;
}

function isOneSided(rows: Segment[][], at: number): boolean {
  return (
    rows.every((row) => row.every(({ x0 }) => x0 < at)) ||
    rows.every((row) => row.every(({ x0 }) => x0 >= at))
  );
}

function middle({ y, size }: Segment): number {
  return y - 0.35 * size;
}
