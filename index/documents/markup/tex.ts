import { type Block, type Document, tableText } from '../document.ts';
import { nestedTooDeep } from '../file.ts';
import { BlockList } from './block-list.ts';
import {
  ACCENTS,
  DROPPED,
  GERMAN,
  HEADINGS,
  LANGUAGES,
  MATH,
  mathText,
  SKIPPED,
  SKIPPED_OF_ENVIRONMENT,
  SYMBOLS,
  TABLES,
  VERBATIM,
} from './tex-commands.ts';

/** How deep arguments that are read as text may nest. */
const MAX_NESTED = 100;
/** How deep macros of a text may use each other, and UTF-16 code units that they may add in total. */
const MAX_EXPANDED = 10;
const MAX_ADDED = 2_000_000;
/** UTF-16 code units of an argument that is no text, and of the body of a macro. */
const MAX_ARGUMENT = 3_000;
const MAX_MACRO = 500;
/** UTF-16 code units. */
const MAX_AUTHOR = 500;
/** Depth of the title of a slide. */
const SLIDE = 5;

/**
 * Reads LaTeX by structure: headings, lists, tables, code, mathematics as source, and simple macros. Follows no `\input`. The title is
 * `\title`, which then is above the other headings. The language is the last one that babel or polyglossia load.
 * @param path of the file, for errors
 * @throws if arguments nest too deep
 */
export function readTex(text: string, source: string, path = source): Document {
  const { headings, list, title, lang, author } = new TexReader(text.replace(/\r\n?/g, '\n'), path);
  const shift = (title ? 2 : 1) - Math.min(...headings.values());
  const blocks = list.blocks.map((block) => {
    const depth = headings.get(block);
    return depth === undefined ? block : { ...block, level: Math.min(6, depth + shift) };
  });
  const only = blocks.filter(({ level }) => level === 1);
  return {
    source,
    title: title ?? (only.length === 1 ? only[0]!.text : undefined),
    lang,
    metadata: author ? { author } : undefined,
    blocks: title && blocks.length > 0 ? [{ kind: 'heading', level: 1, text: title }, ...blocks] : blocks,
  };
}

/** `\newcommand{\name}[parameters][option]{body}`. An option is the default of the first argument. */
interface Macro {
  body: string;
  parameters: number;
  option?: string;
}

class TexReader {
  readonly list = new BlockList();
  /** How deep each heading is. */
  readonly headings = new Map<Block, number>();
  title: string | undefined;
  author: string | undefined;
  lang: string | undefined;
  readonly #path: string;
  readonly #macros = new Map<string, Macro>();
  /** Ends that do not occur in the rest of the text. */
  readonly #missing = new Set<string>();
  /** The text, or the macro in it, that is being read. */
  #text: string;
  #at = 0;
  #expanded = 0;
  #added = 0;
  /** Pieces of the paragraph, or of the argument that is being read as text. */
  #pieces: string[] = [];
  #nested = 0;
  #notes: string[] = [];
  /** The rows of the table that is being read. */
  #rows: string[][] | undefined;
  #isInPreamble: boolean;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
    this.#isInPreamble = /\\begin\s*\{document\}/.test(text);
    this.#read();
    this.#endParagraph();
  }

  /** Reads text up to an unopened brace or the end of an environment, or to the end. */
  #read(end?: string): void {
    for (let open = 0; this.#at < this.#text.length; ) {
      const plain = this.#take(/[^\\%{}$&\n]+/y);
      if (plain !== undefined) this.#append(this.#ligatures(plain));
      const char = this.#text[this.#at];
      if (char === '\\') {
        if (this.#command(end)) return;
      } else if (char === '%') this.#take(/%[^\n]*(?:\n[ \t]*(?!\n))?/y);
      else if (char === '$') this.#dollar();
      else if (char === '\n') {
        if (this.#take(/\n\s*/y)!.split('\n').length > 2) this.#endParagraph();
        else this.#append(' ');
      } else if (char !== undefined) {
        this.#at++;
        if (char === '{') open++;
        else if (char === '&') this.#endCell();
        else if (open > 0) open--;
        else if (end === '}') return;
      }
    }
  }

  /** Reads what matches a sticky expression. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  /** Reads the text before `end`, and `end`. Undefined if `end` is missing, or an empty line is before it. */
  #until(end: string, inParagraph = false): string | undefined {
    if (this.#missing.has(end)) return undefined;
    const at = this.#text.indexOf(end, this.#at);
    if (at < 0 && this.#expanded === 0) this.#missing.add(end);
    const content = this.#text.slice(this.#at, at);
    if (at < 0 || (inParagraph && /\n\s*\n/.test(content))) return undefined;
    this.#at = at + end.length;
    return content;
  }

  /** Reads an argument in braces, or one character or command, as source. */
  #argument(): string {
    this.#take(/(?:[ \t]|%[^\n]*\n)*\n?[ \t]*/y);
    if (this.#text[this.#at] !== '{') return this.#take(/\\(?:[a-zA-Z]+|[\s\S])|[^\s{}]/uy) ?? '';
    return this.#balanced('}') ?? '';
  }

  /** Reads an argument in brackets, if one follows. */
  #option(): string | undefined {
    return this.#text[this.#at] === '[' ? this.#balanced(']') : undefined;
  }

  /** The text between brackets. Without an end, only an opening brace is skipped. */
  #balanced(close: '}' | ']'): string | undefined {
    const start = this.#at + 1;
    let open = 0;
    for (let i = start; i < Math.min(this.#text.length, start + MAX_ARGUMENT); i++) {
      const char = this.#text[i];
      if (char === close && open === 0) {
        this.#at = i + 1;
        return this.#text.slice(start, i);
      }
      if (char === '\\') i++;
      else if (char === '{') open++;
      else if (char === '}' && open-- === 0) break;
    }
    if (close === '}') this.#at = start;
    return undefined;
  }

  /** Reads the next argument, or an environment up to its end, as text. */
  #captured(end = '}'): string {
    if (end === '}') {
      this.#take(/\s*/y);
      if (this.#text[this.#at] !== '{') return this.#argument();
      this.#at++;
    }
    if (++this.#nested > MAX_NESTED) throw nestedTooDeep(this.#path, MAX_NESTED);
    const outer = this.#pieces;
    this.#pieces = [];
    this.#read(end);
    const text = tidy(this.#pieces);
    this.#pieces = outer;
    this.#nested--;
    return text;
  }

  #append(text: string): void {
    if (this.#nested > 0 || !this.#isInPreamble) this.#pieces.push(text);
  }

  #endParagraph(): void {
    if (this.#nested > 0) {
      this.#append(' ');
      return;
    }
    this.list.paragraph(tidy(this.#pieces));
    for (const note of this.#notes) this.list.paragraph(note);
    this.#pieces = [];
    this.#notes = [];
  }

  /** A block of its own, or a part of the argument around it. */
  #block(text: string): void {
    this.#endParagraph();
    if (this.#nested > 0) this.#append(text);
    else this.list.paragraph(text);
  }

  #heading(depth: number): void {
    this.#option();
    this.#endParagraph();
    const text = this.#captured();
    if (this.#nested > 0) this.#append(` ${text} `);
    else if (!this.#isInPreamble && text !== '') {
      this.list.heading(1, text);
      this.headings.set(this.list.blocks.at(-1)!, depth);
    }
  }

  /** Replaces the characters that TeX and babel join: quotes, dashes, and short forms in German. */
  #ligatures(text: string): string {
    const plain = text
      .replaceAll('``', '“')
      .replaceAll("''", '”')
      .replaceAll('---', '—')
      .replaceAll('--', '–')
      .replaceAll('`', '‘')
      .replaceAll('~', ' ');
    if (!this.lang?.startsWith('de')) return plain;
    return plain.replace(/"([aouAOUs‘'=~|"-])/g, (_all, char: string) => GERMAN.get(char) ?? '');
  }

  #dollar(): void {
    const mark = this.#take(/\$\$?/y)!;
    const content = this.#until(mark, true);
    this.#append(content === undefined ? '$' : mathText(content));
  }

  /** Reads a command. Returns whether it ends the document, or the environment that is read as text. */
  #command(end: string | undefined): boolean {
    const name = this.#take(/\\(?:[a-zA-Z@]+\*?|[\s\S]|$)/uy)!.slice(1);
    const bare = name.replace(/\*$/, '');
    if (/[a-zA-Z]/.test(name)) this.#take(/[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?/y);
    const macro = this.#macros.get(name);
    const accent = ACCENTS.get(name);
    if (macro) this.#expand(macro);
    else if (accent !== undefined) this.#append(accented(this.#argument().trim(), accent));
    else if (SYMBOLS.has(name)) {
      this.#append(SYMBOLS.get(name)!);
      this.#take(/\{\}/y);
    } else if (HEADINGS.has(bare)) this.#heading(HEADINGS.get(bare)!);
    else if (bare === 'begin') this.#begin(this.#argument());
    else if (bare === 'end') {
      const environment = this.#argument();
      if (environment === 'document') this.#at = this.#text.length;
      if (environment === end) return true;
      this.#endParagraph();
    } else if (!this.#declaration(bare) && !this.#markup(bare)) this.#other(bare);
    return false;
  }

  /** Reads what the text declares about itself and its macros. Whether the command is such a declaration. */
  #declaration(command: string): boolean {
    switch (command) {
      case 'title':
        this.#option();
        this.title ??= oneLine(this.#captured()) || undefined;
        return true;
      case 'author':
        this.#option();
        this.author ??= oneLine(this.#captured()).replaceAll(' ,', ',').slice(0, MAX_AUTHOR) || undefined;
        return true;
      case 'thanks':
        this.#captured();
        return true;
      case 'usepackage': {
        const options = this.#option();
        this.#language(this.#argument() === 'babel' ? options : undefined);
        return true;
      }
      case 'setdefaultlanguage':
      case 'setmainlanguage':
        this.#option();
        this.#language(this.#argument());
        return true;
      case 'newcommand':
      case 'renewcommand':
      case 'providecommand': {
        const name = this.#argument().trim().slice(1);
        this.#take(/\s*/y);
        const parameters = Number(this.#option() ?? 0) || 0;
        const option = this.#option();
        this.#define(name, { body: this.#argument(), parameters, option });
        return true;
      }
      case 'def': {
        const name = this.#argument().slice(1);
        const parameters = this.#take(/[^{\n]*/y)!.trim();
        const body = this.#argument();
        if (/^(?:#\d)*$/.test(parameters)) this.#define(name, { body, parameters: parameters.length / 2 });
        return true;
      }
      case 'let':
        this.#argument();
        this.#take(/\s*=\s*/y);
        this.#argument();
        return true;
      default:
        return false;
    }
  }

  #language(names: string | undefined): void {
    const last = /main=(\w+)/.exec(names ?? '')?.[1] ?? names?.split(',').at(-1)?.trim() ?? '';
    this.lang ??= LANGUAGES.get(last);
  }

  /** Macros that are known, or too long to be a name or a phrase, are not expanded. */
  #define(name: string, macro: Macro): void {
    const isKnown =
      HEADINGS.has(name) ||
      SYMBOLS.has(name) ||
      ACCENTS.has(name) ||
      /^(?:begin|end|item|par|\W)$/.test(name);
    if (!isKnown && macro.body.length <= MAX_MACRO) this.#macros.set(name, macro);
  }

  #expand({ body, parameters, option }: Macro): void {
    const values = option === undefined ? [] : [this.#option() ?? option];
    while (values.length < Math.min(parameters, 9)) values.push(this.#argument());
    this.#insert(body.replace(/#(\d)/g, (_all, number) => values[Number(number) - 1] ?? ''));
  }

  /** Reads a text in place of the command before. */
  #insert(text: string): void {
    this.#added += text.length;
    if (this.#expanded >= MAX_EXPANDED || this.#added > MAX_ADDED) return;
    const [outer, at] = [this.#text, this.#at];
    [this.#text, this.#at] = [text, 0];
    this.#expanded++;
    this.#read();
    this.#expanded--;
    [this.#text, this.#at] = [outer, at];
  }

  /** Reads a command that is layout or text. Whether it is one. */
  #markup(command: string): boolean {
    switch (command) {
      case '\\':
      case 'newline':
      case 'linebreak':
      case 'tabularnewline':
        this.#take(/\*?[ \t]*(?:\[[^\]\n]*\])?/y);
        this.#endRow();
        return true;
      case 'par':
      case 'bigskip':
      case 'medskip':
      case 'smallskip':
      case 'newpage':
      case 'clearpage':
        this.#endParagraph();
        return true;
      case 'and':
        this.#append(', ');
        return true;
      case 'item': {
        const label = this.#option();
        this.#append(this.#nested > 0 ? ' ' : '\n');
        if (label) this.#insert(`${label}\\\\ `);
        return true;
      }
      case '(':
      case '[':
        this.#append(mathText(this.#until(command === '(' ? '\\)' : '\\]') ?? ''));
        return true;
      case 'ensuremath':
        this.#append(mathText(this.#argument()));
        return true;
      case 'verb':
      case 'lstinline': {
        this.#option();
        const mark = this.#take(/[^a-zA-Z\s]/uy);
        if (mark !== undefined) this.#append(this.#until(mark === '{' ? '}' : mark, true) ?? mark);
        return true;
      }
      case 'url':
      case 'nolinkurl':
      case 'path':
        this.#append(this.#argument().replace(/\\([%#&_~])/g, '$1'));
        return true;
      case 'footnote':
      case 'footnotetext': {
        this.#option();
        const note = this.#captured();
        if (!this.#isInPreamble) this.#notes.push(note);
        return true;
      }
      case 'captionof':
      case 'caption':
        if (command === 'captionof') this.#argument();
        this.#option();
        this.#block(this.#captured());
        return true;
      case 'iffalse':
        this.#until('\\fi');
        return true;
      case 'texorpdfstring': {
        const typeset = this.#argument();
        this.#argument();
        this.#insert(typeset);
        return true;
      }
      default:
        return false;
    }
  }

  #other(command: string): void {
    if (/[a-zA-Z]/.test(command)) {
      // Options of commands are no text.
      for (let i = 0; i < 2 && this.#option() !== undefined; i++);
      for (let i = SKIPPED.get(command) ?? 0; i > 0; i--) this.#argument();
      if (/^(?:q?quad|enspace|hfill|bibitem)$/.test(command)) this.#append(' ');
    } else if (/[,;:>\s]/.test(command)) this.#append(' ');
    else if (!/[-/@!]/.test(command)) this.#append(command);
  }

  #begin(name: string): void {
    if (name === 'document') {
      this.#isInPreamble = false;
      return;
    }
    const isCode = VERBATIM.test(name);
    const isMath = MATH.test(name);
    if (isCode) this.#take(/\[[^\]\n]*\]/y);
    if (isCode || isMath || DROPPED.test(name)) {
      if (name === 'minted') this.#argument();
      const content = this.#until(`\\end{${name}}`) ?? '';
      if (isCode) this.#block(content.replace(/^[ \t]*\n/, ''));
      else if (isMath) this.#append(` ${mathText(content)} `);
      return;
    }
    this.#endParagraph();
    this.#take(/[ \t]*(?:\[[^\]\n]*\])?/y);
    for (let i = SKIPPED_OF_ENVIRONMENT.get(name) ?? 0; i > 0; i--) this.#argument();
    if (TABLES.test(name)) this.#table(name);
    else if (name === 'frame' && this.#text[this.#at] === '{') this.#heading(SLIDE);
  }

  #table(name: string): void {
    const outer = this.#rows;
    const rows: string[][] = [[]];
    this.#rows = rows;
    const last = this.#captured(name);
    rows.at(-1)!.push(oneLine(last));
    this.#rows = outer;
    this.#block(tableText(rows.filter((row) => row.some((cell) => cell !== ''))));
  }

  #endCell(): void {
    if (!this.#rows) {
      this.#append(' ');
      return;
    }
    this.#rows.at(-1)!.push(oneLine(tidy(this.#pieces)));
    this.#pieces = [];
  }

  /** The end of a row of a table, or of a line. */
  #endRow(): void {
    if (!this.#rows) {
      this.#append('\n');
      return;
    }
    this.#endCell();
    this.#rows.push([]);
  }
}

/** A letter, or the command of one, with an accent. Empty if it is neither. */
function accented(argument: string, accent: string): string {
  const command = /^\\([a-zA-Z]+)\s*$/.exec(argument)?.[1];
  const letter =
    command === undefined ? argument : /^[ij]$/.test(command) ? command : (SYMBOLS.get(command) ?? '');
  const [first, ...rest] = letter;
  return first === undefined ? '' : (first + accent).normalize('NFC') + rest.join('');
}

function tidy(pieces: readonly string[]): string {
  return pieces
    .join('')
    .replace(/[ \t\u00A0]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim();
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
