import { unwrap } from '../plain/paragraphs.ts';

/** Joins the lines of a paragraph, except after lines that end with a mark for a line break. */
export function unwrapBetween(lines: string[], mark: RegExp): string[] {
  const groups: string[][] = [[]];
  for (const line of lines) {
    groups.at(-1)!.push(line.replace(mark, ''));
    if (mark.test(line)) groups.push([]);
  }
  return groups.map(unwrap);
}
