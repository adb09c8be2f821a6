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
  const splitter = new Splitter();
  for await (const piece of pieces) yield* splitter.split(piece);
  yield* splitter.end();
}

class Splitter {
  /** Whether the file is a list, and its elements are the values. */
  #isList = false;
  #isInside = false;
  /** Open brackets of the value. */
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #parts: string[] = [];
  #length = 0;
  #line = 1;
  #startLine = 1;

  *split(piece: string): Generator<JsonValue> {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const character = piece[at]!;
      if (!this.#isInside) {
        if (!this.#begins(character)) continue;
        start = at;
      }
      const end = this.#endOfValue(character);
      if (character === '\n') this.#line++;
      if (end === 'inside') continue;
      this.#add(piece.slice(start, end === 'before' ? at : at + 1));
      yield this.#take();
    }
    if (this.#isInside) this.#add(piece.slice(start));
  }

  *end(): Generator<JsonValue> {
    if (this.#isInside) yield this.#take();
  }

  /** Whether a value begins with a character. */
  #begins(character: string): boolean {
    if (character === '\n') this.#line++;
    if (/[\s,]/.test(character)) return false;
    if (character === '[' && !this.#isList) this.#isList = true;
    else if (character === ']') this.#isList = false;
    else {
      this.#isInside = true;
      this.#startLine = this.#line;
      return true;
    }
    return false;
  }

  #endOfValue(character: string): 'inside' | 'before' | 'after' {
    if (this.#inString) {
      // A string of valid JSON has no line end, so a quote is missing.
      const isOver = character === '\n' || (character === '"' && !this.#isEscaped);
      this.#isEscaped = character === '\\' && !this.#isEscaped;
      if (!isOver) return 'inside';
      this.#inString = false;
      return this.#depth === 0 ? 'after' : 'inside';
    }
    if (character === '"') this.#inString = true;
    else if (character === '{' || character === '[') this.#depth++;
    else if (character === '}' || character === ']') {
      if (this.#depth === 0) {
        this.#isList = false;
        return 'before';
      }
      return --this.#depth === 0 ? 'after' : 'inside';
    } else if (this.#depth === 0 && (character === ',' || character === '\n')) return 'before';
    return 'inside';
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length <= MAX_VALUE) this.#parts.push(part);
    else this.#parts = [];
  }

  #take(): JsonValue {
    const json = this.#length <= MAX_VALUE ? this.#parts.join('') : undefined;
    this.#parts = [];
    this.#length = 0;
    this.#isInside = false;
    return { line: this.#startLine, json, isElement: this.#isList };
  }
}
