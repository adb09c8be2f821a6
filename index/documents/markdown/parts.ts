/** UTF-16 code units. The parser's time grows with the square of the length, which matters above this size. */
const PART = 30_000;

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** A link definition. CommonMark limits its label to 999 characters. */
export const DEFINITION = /^ {0,3}\[[^\]^][^\]]{0,998}\]:[ \t]*\S.*$/m;

/**
 * Splits a long Markdown text with `\n` line ends into parts that can be parsed separately. Splits outside fenced code, before an
 * unindented line that follows a blank one. Prepends the link definitions of the whole text to each part.
 */
export function markdownParts(text: string): string[] {
  if (text.length <= PART) return [text];
  const definitions = (text.match(new RegExp(DEFINITION, 'gm')) ?? []).join('\n');
  const parts: string[] = [];
  let lines: string[] = [];
  let length = 0;
  let fence: string | undefined;
  for (const line of text.split('\n')) {
    if (length > PART && fence === undefined && lines.at(-1)?.trim() === '' && /^\S/.test(line)) {
      parts.push(lines.join('\n'));
      lines = [];
      length = 0;
    }
    const mark = line.match(FENCE)?.[1];
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
    lines.push(line);
    length += line.length + 1;
  }
  parts.push(lines.join('\n'));
  return parts.map((part) => `${definitions}\n\n${part}`);
}
