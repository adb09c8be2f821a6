/** Parts have about this many UTF-16 code units. */
const PART = 2 ** 20;
/** A part ends at a blank line if one is this close to its end. */
const WINDOW = 2 ** 17;

/**
 * Cuts a stream of text into parts of bounded size: at a blank line if there is one near the end of a part, else at the end of a
 * line, else at a space, else anywhere between characters. Line ends become `\n`. The parts together are the text.
 */
export async function* textParts(chunks: AsyncIterable<string>, size = PART): AsyncGenerator<string> {
  let text = '';
  // A line end of two characters may be cut by a chunk.
  let held = '';
  for await (const chunk of chunks) {
    const whole = held + chunk;
    held = whole.endsWith('\r') ? '\r' : '';
    text += toLineFeeds(whole.slice(0, whole.length - held.length));
    while (text.length >= 2 * size) {
      const end = cutBefore(text, size);
      yield text.slice(0, end);
      text = text.slice(end);
    }
  }
  text += toLineFeeds(held);
  if (text.length <= size) yield text;
  else {
    const end = cutBefore(text, size);
    yield text.slice(0, end);
    yield text.slice(end);
  }
}

/** The best place for a cut at most `size` after the start. */
function cutBefore(text: string, size: number): number {
  const start = Math.max(1, size - WINDOW);
  const end = text.slice(start, size);
  const blank = lastEnd(end, /\n[^\S\n]*\n|\f/g) ?? lastEnd(end, /\n/g) ?? lastEnd(end, /\s/gu);
  if (blank !== undefined) return start + blank;
  const isPair = (text.charCodeAt(size) & 0xfc00) === 0xdc00;
  return isPair ? size + 1 : size;
}

/** The end of the last match. */
function lastEnd(text: string, pattern: RegExp): number | undefined {
  let end: number | undefined;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

function toLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
