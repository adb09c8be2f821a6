/** Characters of a value of JSON: of the whole file, or of an element of its list. */
const MAX_VALUE = 64 * 2 ** 20;

/** The text of a JSON value, and where it begins. */
export interface JsonValue {
  line: number;
  /** Undefined if it is too long. */
  json: string | undefined;
  /** Whether it is an element of a list that is the whole file. */
  isElement: boolean;
}

/**
 * Splits text into its JSON values: the elements of a list, or several values one after another, such as JSON Lines. The file may be
 * larger than memory, its values not. Does not check them.
 */
export async function* jsonValues(pieces: AsyncIterable<string>): AsyncGenerator<JsonValue> {
  /** Whether the file is a list, and its elements are the values. */
  let isList = false;
  let isInside = false;
  /** Open brackets of the value. */
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  let line = 1;
  let startLine = 1;
  let parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    length += part.length;
    if (length <= MAX_VALUE) parts.push(part);
    else parts = [];
  };
  const take = (): JsonValue => {
    const json = length <= MAX_VALUE ? parts.join('') : undefined;
    [parts, length, isInside] = [[], 0, false];
    return { line: startLine, json, isElement: isList };
  };
  for await (const piece of pieces) {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const character = piece[at]!;
      if (character === '\n') line++;
      if (!isInside) {
        if (character === '[' && !isList) isList = true;
        else if (character === ']') isList = false;
        else isInside = !/[\s,]/.test(character);
        if (!isInside) continue;
        [start, startLine] = [at, line];
      }
      let end: number | undefined;
      if (inString) {
        // A string of valid JSON has no line end, so a quote is missing.
        inString = character !== '\n' && (character !== '"' || isEscaped);
        isEscaped = character === '\\' && !isEscaped;
        if (!inString && depth === 0) end = at + 1;
      } else if (character === '"') inString = true;
      else if (character === '{' || character === '[') depth++;
      else if (character === '}' || character === ']') {
        if (depth > 0 && --depth === 0) end = at + 1;
        else if (depth === 0) [isList, end] = [false, at];
      } else if (depth === 0 && (character === ',' || character === '\n')) end = at;
      if (end === undefined) continue;
      add(piece.slice(start, end));
      yield take();
    }
    if (isInside) add(piece.slice(start));
  }
  if (isInside) yield take();
}
