/** How deep macros of a text may use each other. */
const MAX_DEPTH = 20;
/** UTF-16 code units that macros of a text may add in total. */
const MAX_ADDED = 2_000_000;

/** UTF-16 code units that are searched for the ends of arguments without finding one. Then arguments must be short. */
const MAX_IN_VAIN = 10_000_000;

/** A position in a TeX text, in which macros are replaced by their definitions. */
export class TexSource {
  readonly #frames: { text: string; at: number }[];
  /** Ends that do not occur in the rest of the text. */
  readonly #missing = new Set<string>();
  #added = 0;
  #inVain = 0;

  constructor(text: string) {
    this.#frames = [{ text, at: 0 }];
  }

  /** The next character, or undefined at the end of the text. */
  peek(): string | undefined {
    for (;;) {
      const frame = this.#frames.at(-1)!;
      if (frame.at < frame.text.length) return frame.text[frame.at];
      if (this.#frames.length === 1) return undefined;
      this.#frames.pop();
    }
  }

  skip(count: number): void {
    this.#frames.at(-1)!.at += count;
  }

  /** Reads what matches a sticky expression. */
  take(pattern: RegExp): string | undefined {
    if (this.peek() === undefined) return undefined;
    const frame = this.#frames.at(-1)!;
    pattern.lastIndex = frame.at;
    const match = pattern.exec(frame.text)?.[0];
    frame.at += match?.length ?? 0;
    return match;
  }

  /** Reads the text before `end`, and `end`. Undefined if `end` is missing, or follows a stop. */
  takeUntil(end: string, stop?: RegExp): string | undefined {
    const frame = this.#frames.at(-1)!;
    const isTop = this.#frames.length === 1;
    if (isTop && this.#missing.has(end)) return undefined;
    const at = frame.text.indexOf(end, frame.at);
    if (at < 0) {
      if (isTop) this.#missing.add(end);
      return undefined;
    }
    const content = frame.text.slice(frame.at, at);
    if (stop?.test(content)) return undefined;
    frame.at = at + end.length;
    return content;
  }

  /** Reads an argument in braces, or one character or command, as source. */
  argument(): string {
    this.take(/(?:[ \t]|%[^\n]*\n)*\n?[ \t]*/y);
    if (this.peek() !== '{') return this.take(/\\(?:[a-zA-Z]+|[\s\S])|[^\s{}]/uy) ?? '';
    return this.#balanced('{', '}') ?? '';
  }

  /** Reads an argument in brackets, if one follows. */
  option(): string | undefined {
    if (this.peek() !== '[') return undefined;
    return this.#balanced('[', ']');
  }

  /** Replaces a macro by its definition. */
  expand(text: string): void {
    this.#added += text.length;
    if (this.#frames.length <= MAX_DEPTH && this.#added <= MAX_ADDED && text !== '')
      this.#frames.push({ text, at: 0 });
  }

  /** The text between a bracket and its counterpart. Skips to neither if there is none. */
  #balanced(open: string, close: string): string | undefined {
    const frame = this.#frames.at(-1)!;
    const { text } = frame;
    const longest = this.#inVain < MAX_IN_VAIN ? 20_000 : 200;
    const limit = Math.min(text.length, frame.at + longest);
    let depth = 0;
    let braces = 0;
    for (let i = frame.at; i < limit; i++) {
      const char = text[i];
      if (char === '\\') i++;
      else if (char === '{' && open === '[') braces++;
      else if (char === '}' && open === '[' && braces-- === 0) break;
      else if (char === open && braces === 0) depth++;
      else if (char === close && braces === 0 && --depth === 0) {
        const content = text.slice(frame.at + 1, i);
        frame.at = i + 1;
        return content;
      } else if (open === '[' && char === '\n' && text[i + 1] === '\n') break;
    }
    this.#inVain += limit - frame.at;
    if (open === '{') frame.at++;
    return undefined;
  }
}
