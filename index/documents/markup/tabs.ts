/** Replaces tabs by spaces up to the next multiple of `stop` columns. */
export function expandTabs(line: string, stop: number): string {
  if (!line.includes('\t')) return line;
  let expanded = '';
  for (const part of line.split(/(?<=\t)/)) {
    const text = part.replace('\t', '');
    expanded += text;
    if (text !== part) expanded += ' '.repeat(stop - (expanded.length % stop));
  }
  return expanded;
}
