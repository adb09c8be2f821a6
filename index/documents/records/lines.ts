/** Characters of a line. A record is rarely longer than a book. */
const MAX_LINE = 32 * 2 ** 20;

/** A line of a text, without its end. Undefined if it is too long. */
export interface Line {
  number: number;
  text: string | undefined;
}

/** Splits text at line feeds only: JSON strings may contain other characters that Unicode counts as line ends. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<Line> {
  let number = 0;
  let parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    length += part.length;
    if (length <= MAX_LINE) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const text = length <= MAX_LINE ? parts.join('') : undefined;
    parts = [];
    length = 0;
    return { number: ++number, text };
  };
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', start)) {
      add(piece.slice(start, end));
      yield take();
      start = end + 1;
    }
    add(piece.slice(start));
  }
  yield take();
}
