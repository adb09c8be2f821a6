import { isPageNumber, isRoman } from './marks.ts';
import type { Segment } from './segments.ts';

/** In columns. */
const WIDEST_HEAD = 200;
/** In columns. Shorter lines may recur by chance. */
const NARROWEST_HEAD = 8;

/**
 * Which segments are the head or foot of a page: page numbers, and lines beside them or at the edge of a page that recur with other
 * numbers or have a page number to the left or right.
 */
export function furnitureOf(segments: Segment[]): boolean[] {
  const lines = segments.map(lineOf);
  const isEdge = (i: number) => segments[i]!.isPageStart || segments[i + 1]?.isPageStart === true;
  const isNumber = lines.map(
    (line, i) => line !== undefined && (isPageNumber(line) || (isRoman(line) && isEdge(i))),
  );
  const isSpread = lines.map((line) => line !== undefined && hasPageNumber(line));
  const mayBe = lines.map((line, i) => {
    if (line === undefined || segments[i]!.lines[0]!.isRule) return false;
    return isSpread[i]! || isEdge(i) || isNumber[i - 1] === true || isNumber[i + 1] === true;
  });
  const counts = new Map<string, number>();
  for (const [i, line] of lines.entries())
    if (mayBe[i]) counts.set(withoutNumbers(line!), (counts.get(withoutNumbers(line!)) ?? 0) + 1);
  const isFurniture = lines.map((line, i) => {
    if (isNumber[i] || !mayBe[i]) return isNumber[i]!;
    const isBeside = isEdge(i) || isNumber[i - 1] === true || isNumber[i + 1] === true;
    return (
      (isSpread[i]! && (isBeside || /\[Page \d+\]$/.test(line!))) || counts.get(withoutNumbers(line!))! > 1
    );
  });
  // The head of a page follows the foot of the one before, and may have two lines.
  const recurring = new Map<string, number[]>();
  for (const [i, line] of lines.entries()) {
    if (line === undefined || !isFurniture[i - 1] || isFurniture[i]) continue;
    if (/\S\s{3,}\S/.test(line)) isFurniture[i] = true;
    else if (line.length > NARROWEST_HEAD) {
      const places = recurring.get(line);
      if (places) places.push(i);
      else recurring.set(line, [i]);
    }
  }
  for (const places of recurring.values())
    if (places.length > 1) for (const i of places) isFurniture[i] = true;
  return isFurniture;
}

function lineOf({ lines }: Segment): string | undefined {
  return lines.length === 1 && lines[0]!.width < WIDEST_HEAD ? lines[0]!.text : undefined;
}

/** `Writer    Informational    [Page 1]`, `26    THE HARBOUR BOOK`. */
function hasPageNumber(line: string): boolean {
  return /^\d{1,4}\s{3,}\S|\S\s{3,}\S.*\d{1,4}\]?$/.test(line);
}

function withoutNumbers(line: string): string {
  return line.replace(/\d+/g, '0').replace(/\s+/g, ' ');
}
