/** Removes the indentation that all lines with text have in common, but at most `most` columns. */
export function dedent(lines: string[], most = Number.POSITIVE_INFINITY): string[] {
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const common = indents.reduce((least, next) => Math.min(least, next), most);
  return common === Number.POSITIVE_INFINITY ? lines : lines.map((line) => line.slice(common));
}
