import { type Definitions, unescapeRoff } from './escapes.ts';

/** A line of text, or a call of a macro. Both without escape sequences. */
export type RoffLine =
  | { text: string; joined: boolean }
  | {
      macro: string;
      args: string[] /** The arguments as they were, with quotes and escapes. */;
      raw: string;
    };

/** How deep macros of the page may call each other. */
const MAX_CALLS = 20;
/** From an unescaped `\\"` to the end of the line. */
const COMMENT = /((?:^|[^\\])(?:\\\\)*)\\".*$/s;
/** Lines that macros of a page may add in total. */
const MAX_ADDED = 200_000;

/** Reads the lines of a roff text: follows conditions, and expands the macros and strings that the page defines. */
export class Roff implements Definitions {
  readonly strings = new Map<string, string>();
  readonly registers = new Map<string, number>();
  readonly #macros = new Map<string, string[]>();
  /** The text, and the bodies of macros being called. */
  readonly #sources: { lines: string[]; at: number; args: string[] }[];
  readonly #builtIn: ReadonlySet<string>;
  #added = 0;
  #lastCondition = false;

  /** @param builtIn names of macros that a page must not redefine */
  constructor(text: string, builtIn: ReadonlySet<string>) {
    this.#sources = [{ lines: text.replace(/\r\n?/g, '\n').split('\n'), at: 0, args: [] }];
    this.#builtIn = builtIn;
  }

  *[Symbol.iterator](): Generator<RoffLine> {
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      const found = this.#read(line);
      if (found) yield found;
    }
  }

  /** The raw lines before one that matches. */
  *rawUntil(end: RegExp): Generator<string> {
    for (let line = this.#next(); line !== undefined && !end.test(line); line = this.#next()) yield line;
  }

  unescape(text: string): string {
    return unescapeRoff(text, this);
  }

  #next(): string | undefined {
    for (let source = this.#sources.at(-1); source; source = this.#sources.at(-1)) {
      let line = source.lines[source.at++];
      if (line !== undefined) {
        // A backslash at the end of a line joins the next one.
        const parts = [line];
        while (/(?:^|[^\\])(?:\\\\)*\\$/.test(parts.at(-1)!) && source.at < source.lines.length) {
          parts.push(parts.pop()!.slice(0, -1));
          parts.push(source.lines[source.at++]!);
        }
        line = parts.join('');
        return this.#sources.length > 1 ? substitute(line, source.args) : line;
      }
      if (this.#sources.length === 1) return undefined;
      this.#sources.pop();
    }
    return undefined;
  }

  #read(line: string): RoffLine | undefined {
    if (line.startsWith('\\#')) return undefined;
    const call = /^[.'][ \t]*(\\["#}]|[^\s\\]*)[ \t]*(.*)$/s.exec(line);
    if (!call) return { text: this.unescape(line), joined: /\\c(?:\\"|\s*$)/.test(line) };
    const [, macro = '', rest = ''] = call;
    if (macro.startsWith('\\')) return undefined;
    const raw = rest.replace(COMMENT, '$1');
    switch (macro) {
      case '':
        return undefined;
      case 'ie':
      case 'if':
      case 'el':
      case 'while':
        return this.#condition(macro, raw);
      case 'de':
      case 'de1':
      case 'am':
      case 'am1':
      case 'ig':
        this.#define(macro, raw);
        return undefined;
      case 'ds':
      case 'as':
        this.#defineString(macro, raw);
        return undefined;
      case 'nr': {
        const [name = '', value = ''] = raw.split(/\s+/);
        this.registers.set(name, Number.parseInt(this.unescape(value), 10) || 0);
        return undefined;
      }
      case 'als':
      case 'rm':
      case 'rn':
        return undefined;
    }
    const args = splitArguments(raw).map((arg) => this.unescape(arg));
    const body = this.#macros.get(macro);
    if (!body) return { macro, args, raw };
    this.#added += body.length;
    if (this.#sources.length <= MAX_CALLS && this.#added <= MAX_ADDED)
      this.#sources.push({ lines: body, at: 0, args: splitArguments(raw) });
    return undefined;
  }

  #define(macro: string, raw: string): void {
    const [name = '', end = '.'] = raw.trim().split(/\s+/);
    const isIgnored = macro === 'ig';
    const stop = (isIgnored ? name : end) || '.';
    const body: string[] = [];
    for (const line of this.rawUntil(new RegExp(`^[.'][ \\t]*${stop.replace(/[^\w]/g, '\\$&')}\\s*$`)))
      body.push(line.replaceAll('\\\\', '\\'));
    if (isIgnored || this.#builtIn.has(name)) return;
    this.#macros.set(name, macro.startsWith('am') ? [...(this.#macros.get(name) ?? []), ...body] : body);
  }

  #defineString(macro: string, raw: string): void {
    const [, name = '', value = ''] = /^(\S+)(?:[ \t]+"?(.*))?$/s.exec(raw) ?? [];
    const before = macro === 'as' ? (this.strings.get(name) ?? '') : '';
    this.strings.set(name, (before + value).slice(0, 1_000));
  }

  /** Follows a condition. `\{` and `\}` enclose several lines. */
  #condition(macro: string, raw: string): RoffLine | undefined {
    const { isTrue, rest } =
      macro === 'el'
        ? { isTrue: !this.#lastCondition, rest: raw }
        : macro === 'while'
          ? { isTrue: false, rest: raw }
          : this.#evaluate(raw);
    if (macro === 'ie') this.#lastCondition = isTrue;
    const text = rest.trimStart();
    if (isTrue) {
      const inner = text.replace(/^\\\{\\?[ \t]*/, '');
      return inner === '' ? undefined : this.#read(inner.replace(/\\\}/g, ''));
    }
    let depth = braces(text);
    while (depth > 0) {
      const line = this.#next();
      if (line === undefined) break;
      depth += braces(line);
    }
    return undefined;
  }

  #evaluate(raw: string): { isTrue: boolean; rest: string } {
    const negated = raw.startsWith('!');
    const text = negated ? raw.slice(1).trimStart() : raw;
    const answer = (isTrue: boolean, length: number) => ({
      isTrue: isTrue !== negated,
      rest: text.slice(length),
    });
    const named = /^[dr][ \t]*(\S+)/.exec(text);
    if (named) {
      const name = named[1]!;
      const isDefined = text.startsWith('r')
        ? this.registers.has(name)
        : this.strings.has(name) || this.#macros.has(name) || this.#builtIn.has(name);
      return answer(isDefined, named[0].length);
    }
    const mode = /^[ntoev](?![\w\\])/.exec(text)?.[0];
    if (mode !== undefined) return answer(mode === 'n' || mode === 'o', 1);
    const compared = /^(["'])(.*?)\1(.*?)\1/s.exec(text);
    if (compared)
      return answer(this.unescape(compared[2]!) === this.unescape(compared[3]!), compared[0].length);
    const expression = /^\S*/.exec(text)![0].replace(/\\\{.*$/s, '');
    const [, left = '0', operator, right = '0'] =
      /^\(*([-+]?\d+)[a-z]?(?:(==?|<=?|>=?)\(*([-+]?\d+))?/.exec(this.unescape(expression)) ?? [];
    const [a, b] = [Number(left), Number(right)];
    const isTrue =
      operator === undefined
        ? a > 0
        : operator.startsWith('<')
          ? a < b || (operator === '<=' && a === b)
          : operator.startsWith('>')
            ? a > b || (operator === '>=' && a === b)
            : a === b;
    return answer(isTrue, expression.length);
  }
}

/** Opened minus closed braces. */
function braces(line: string): number {
  return line.split('\\{').length - line.split('\\}').length;
}

function substitute(line: string, args: string[]): string {
  return line.replace(/\\\$(?:(\d)|\((\d\d)|\[(\d+)\]|[*@])/g, (_, one, two, many) => {
    const number = one ?? two ?? many;
    return number === undefined ? args.join(' ') : (args[Number(number) - 1] ?? '');
  });
}

/** Splits arguments at white space outside quotes. A doubled quote in quotes is a quote. */
export function splitArguments(raw: string): string[] {
  const args: string[] = [];
  for (let i = 0; i < raw.length; ) {
    if (/[ \t]/.test(raw[i]!)) {
      i++;
      continue;
    }
    let arg = '';
    if (raw[i] === '"') {
      for (i++; i < raw.length; i++) {
        if (raw[i] !== '"') arg += raw[i];
        else if (raw[i + 1] === '"') arg += raw[++i];
        else break;
      }
      i++;
    } else {
      for (; i < raw.length && !/[ \t]/.test(raw[i]!); i++) {
        arg += raw[i];
        // An escaped space is part of the argument.
        if (raw[i] === '\\' && i + 1 < raw.length) arg += raw[++i];
      }
    }
    args.push(arg);
  }
  return args;
}
