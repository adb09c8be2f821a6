/** The line after an indented block: the next one without indentation. */
export function blockEnd(lines: string[], start: number): number {
  let end = start;
  while (end < lines.length && (lines[end] === '' || lines[end]!.startsWith(' '))) end++;
  return end;
}

export function blankAfter(lines: string[], start: number): number {
  let end = start;
  while (end < lines.length && lines[end] !== '') end++;
  return end;
}

/** Removes blank lines at the start and at the end. */
export function trimBlank(lines: string[]): string[] {
  let start = 0;
  let end = lines.length;
  while (start < end && lines[start]!.trim() === '') start++;
  while (end > start && lines[end - 1]!.trim() === '') end--;
  return lines.slice(start, end);
}
