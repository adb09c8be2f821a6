import type { Block, Document } from '../../document.ts';
import { nestedTooDeep } from '../../nesting.ts';
import { BlockList } from '../block-list.ts';
import {
  DROPPED,
  HEADINGS,
  MATH,
  mathText,
  SKIPPED,
  SKIPPED_OF_ENVIRONMENT,
  TABLES,
  VERBATIM,
} from './commands.ts';
import { TexSource } from './source.ts';
import { ACCENTS, LANGUAGES, SYMBOLS } from './symbols.ts';

/** What follows a quote mark in German. */
const GERMAN = new Map(
  [...'aäoöuüAÄOÖUÜsß'].flatMap((char, i, all) => (i % 2 === 0 ? [[char, all[i + 1]!] as const] : [])),
);
GERMAN.set('=', '-').set('~', '-').set('`', '„').set("'", '“').set('‘', '„');

/** Groups and environments. */
const MAX_OPEN = 1_000;
/** UTF-16 code units of the definition of a macro. */
const MAX_MACRO = 500;

/** An open group or environment. Those with pieces collect their text. */
interface Open {
  environment?: string;
  pieces?: string[];
  close?: (text: string) => void;
  rows?: string[][];
}

/**
 * Reads LaTeX by structure: headings, lists, tables, code, mathematics as source, and the text in macros. Follows no `\input`. The
 * title is `\title`, which then is above the other headings. The language is the last one that babel or polyglossia load.
 * @param path of the file, for errors
 * @throws if groups nest too deep
 */
export function readTex(text: string, source: string, path = source): Document {
  const reader = new TexReader(text.replace(/\r\n?/g, '\n'), path);
  const { blocks, title, lang, author } = reader.read();
  const depths = blocks.filter(({ kind }) => kind === 'heading').map(({ level = 1 }) => level);
  const shift = (title ? 1 : 0) - Math.min(...depths, 9) + 1;
  const levelled = blocks.map((block) =>
    block.level === undefined ? block : { ...block, level: Math.min(6, block.level + shift) },
  );
  const only = levelled.filter(({ level }) => level === 1);
  return {
    source,
    title: title ?? (only.length === 1 ? only[0]!.text : undefined),
    lang,
    metadata: author ? { author } : undefined,
    blocks: title && blocks.length > 0 ? [{ kind: 'heading', level: 1, text: title }, ...levelled] : levelled,
  };
}

class TexReader {
  readonly #source: TexSource;
  readonly #path: string;
  /** Headings have their depth as level. */
  readonly #blocks: Block[] = [];
  readonly #open: Open[] = [];
  readonly #macros = new Map<string, { body: string; parameters: number; option?: string }>();
  #pieces: string[] = [];
  #notes: string[] = [];
  /** Before `\begin{document}`. */
  #inPreamble: boolean;
  #title: string | undefined;
  #author: string | undefined;
  #lang: string | undefined;

  constructor(text: string, path: string) {
    this.#source = new TexSource(text);
    this.#path = path;
    this.#inPreamble = /\\begin\s*\{document\}/.test(text);
  }

  read(): { blocks: Block[]; title?: string; lang?: string; author?: string } {
    const source = this.#source;
    for (let char = source.peek(); char !== undefined; char = source.peek()) {
      if (char === '\\') {
        if (this.#command() === 'end') break;
      } else if (char === '%') source.take(/%[^\n]*(?:\n[ \t]*(?!\n))?/y);
      else if (char === '{') {
        source.skip(1);
        this.#push({});
      } else if (char === '}') {
        source.skip(1);
        if (this.#open.at(-1)?.environment === undefined) this.#pop();
      } else if (char === '$') this.#math();
      else if (char === '&') {
        source.skip(1);
        this.#cell();
      } else if (char === '\n') {
        if ((source.take(/\n\s*/y) ?? '').split('\n').length > 2) this.#paragraph();
        else this.#emit(' ');
      } else this.#emit(this.#ligatures(source.take(/[^\\%{}$&\n]+/y) ?? ''));
    }
    while (this.#open.length > 0) this.#pop();
    this.#paragraph();
    return { blocks: this.#blocks, title: this.#title, lang: this.#lang, author: this.#author };
  }

  #ligatures(text: string): string {
    const plain = ligatures(text);
    // In German, a quote mark is a short form of accents, and of places to hyphenate.
    if (!this.#lang?.startsWith('de') || !plain.includes('"')) return plain;
    return plain.replace(/"([aouAOUs`‘'=~|"-])/g, (_, char: string) => GERMAN.get(char) ?? '');
  }

  #emit(text: string): void {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const { pieces } = this.#open[i]!;
      if (!pieces) continue;
      pieces.push(text);
      return;
    }
    if (!this.#inPreamble) this.#pieces.push(text);
  }

  /** Whether text is part of a heading, a cell or the like, rather than of a paragraph. */
  #isCaptured(): boolean {
    return this.#open.some(({ pieces }) => pieces !== undefined);
  }

  #push(open: Open): void {
    if (this.#open.length >= MAX_OPEN) throw nestedTooDeep(this.#path, MAX_OPEN);
    this.#open.push(open);
  }

  #pop(): void {
    const open = this.#open.pop();
    open?.close?.(tidy((open.pieces ?? []).join('')));
  }

  #paragraph(): void {
    if (this.#isCaptured()) {
      this.#emit(' ');
      return;
    }
    this.#block('paragraph', tidy(this.#pieces.join('')));
    this.#pieces = [];
    const notes = this.#notes;
    this.#notes = [];
    for (const note of notes) this.#block('paragraph', note);
  }

  #block(kind: Block['kind'], text: string, level?: number): void {
    if (this.#inPreamble || text.trim() === '') return;
    this.#blocks.push(
      level === undefined ? { kind, text } : { kind, level, text: text.replace(/\s+/g, ' ') },
    );
  }

  /** A block of its own, also inside a heading or cell. */
  #whole(text: string): void {
    if (this.#isCaptured()) {
      this.#emit(text);
      return;
    }
    this.#paragraph();
    const list = new BlockList();
    list.paragraph(text);
    for (const block of list.blocks) this.#block('paragraph', block.text);
  }

  /** Collects the text of the next argument. */
  #capture(close: (text: string) => void): void {
    this.#source.take(/\s*/y);
    if (this.#source.peek() !== '{') {
      close(this.#source.argument());
      return;
    }
    this.#source.skip(1);
    this.#push({ pieces: [], close });
  }

  #math(): void {
    const isDisplay = this.#source.take(/\$\$/y) !== undefined;
    if (!isDisplay) this.#source.skip(1);
    const content = this.#source.takeUntil(isDisplay ? '$$' : '$', /\n\s*\n/);
    this.#emit(content === undefined ? '$' : mathText(content));
  }

  #cell(): void {
    const table = this.#open.at(-1);
    if (!table?.rows) {
      this.#emit(' ');
      return;
    }
    table.rows.at(-1)!.push(tidy(table.pieces!.join('')).replaceAll('\n', ' '));
    table.pieces = [];
  }

  #row(): void {
    const table = this.#open.at(-1);
    if (!table?.rows) {
      this.#emit('\n');
      return;
    }
    this.#cell();
    table.rows.push([]);
  }

  #command(): 'end' | undefined {
    const source = this.#source;
    source.skip(1);
    const name = source.take(/[a-zA-Z@]+\*?|[\s\S]/y);
    if (name === undefined) return undefined;
    const bare = name.replace(/\*$/, '');
    if (/[a-zA-Z]/.test(name)) source.take(/[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?/y);
    const accent = ACCENTS.get(name);
    const macro = this.#macros.get(name);
    if (macro) this.#expand(macro);
    else if (accent !== undefined) this.#accent(accent);
    else if (SYMBOLS.has(name)) {
      this.#emit(SYMBOLS.get(name)!);
      source.take(/\{\}/y);
    } else if (HEADINGS.has(bare)) this.#heading(HEADINGS.get(bare)!);
    else if (bare === 'begin') this.#begin(source.argument());
    else if (bare === 'end') return this.#end(source.argument());
    else this.#other(name, bare);
    return undefined;
  }

  #heading(depth: number): void {
    this.#source.option();
    this.#paragraph();
    this.#capture((text) => {
      if (this.#isCaptured()) this.#emit(` ${text} `);
      else this.#block('heading', text, depth);
    });
  }

  #other(name: string, bare: string): void {
    const source = this.#source;
    switch (bare) {
      case '\\':
      case 'newline':
      case 'linebreak':
      case 'tabularnewline':
      case 'cr':
        source.take(/\*?[ \t]*(?:\[[^\]\n]*\])?/y);
        this.#row();
        return;
      case 'par':
      case 'bigskip':
      case 'medskip':
      case 'smallskip':
      case 'newpage':
      case 'clearpage':
        this.#paragraph();
        return;
      case 'item':
        this.#item();
        return;
      case '(':
      case '[': {
        const content = source.takeUntil(bare === '(' ? '\\)' : '\\]');
        this.#emit(content === undefined ? ' ' : mathText(content));
        return;
      }
      case 'verb':
      case 'lstinline': {
        source.option();
        const mark = source.take(/[^a-zA-Z\s]/y);
        if (mark !== undefined) this.#emit(source.takeUntil(mark === '{' ? '}' : mark, /\n\s*\n/) ?? mark);
        return;
      }
      case 'url':
      case 'nolinkurl':
      case 'path':
        this.#emit(source.argument().replace(/\\([%#&_~])/g, '$1'));
        return;
      case 'title':
        source.option();
        this.#capture((text) => {
          this.#title ??= text.replace(/\s+/g, ' ') || undefined;
        });
        return;
      case 'author':
        source.option();
        this.#capture((text) => {
          this.#author ??= text.replace(/\s+/g, ' ').replaceAll(' ,', ',').slice(0, 500) || undefined;
        });
        return;
      case 'and':
        this.#emit(', ');
        return;
      case 'date':
        source.argument();
        return;
      case 'thanks':
      case 'footnote':
      case 'footnotetext':
        source.option();
        this.#capture((text) => {
          if (bare !== 'thanks' && !this.#inPreamble) this.#notes.push(text);
        });
        return;
      case 'footnotemark':
        source.option();
        return;
      case 'caption':
      case 'captionof':
        if (bare === 'captionof') source.argument();
        source.option();
        this.#capture((text) => this.#whole(text));
        return;
      case 'iffalse':
        source.takeUntil('\\fi');
        return;
      case 'newcommand':
      case 'renewcommand':
      case 'providecommand':
      case 'DeclareRobustCommand':
        this.#define();
        return;
      case 'def':
      case 'gdef':
      case 'edef':
        this.#definePlain();
        return;
      case 'let':
        source.argument();
        source.take(/\s*=\s*/y);
        source.argument();
        return;
      case 'ensuremath':
        this.#emit(mathText(source.argument()));
        return;
      case 'texorpdfstring': {
        const typeset = source.argument();
        source.argument();
        source.expand(typeset);
        return;
      }
      case 'bibitem':
        this.#paragraph();
        break;
      case 'usepackage':
      case 'setdefaultlanguage':
      case 'setmainlanguage':
        this.#language(bare);
        return;
    }
    if (!/[a-zA-Z]/.test(name)) {
      this.#emit(
        name === '-' || name === '/' || name === '@' || name === '!'
          ? ''
          : /[,;:>\s]/.test(name)
            ? ' '
            : name,
      );
      return;
    }
    if (bare === 'quad' || bare === 'qquad' || bare === 'enspace' || bare === 'hfill') this.#emit(' ');
    const skipped = SKIPPED.get(bare) ?? 0;
    // Options of commands are no text.
    for (let i = 0; i < 2 && source.option() !== undefined; i++);
    for (let i = 0; i < skipped; i++) source.argument();
  }

  #item(): void {
    const label = this.#source.option();
    if (this.#isCaptured()) {
      this.#emit(' ');
      return;
    }
    this.#emit('\n');
    if (label) this.#source.expand(`${label}\\\\ `);
  }

  #accent(accent: string): void {
    const source = this.#source;
    source.take(/[ \t]*/y);
    const argument = source.argument().trim();
    const command = /^\\([a-zA-Z]+)\s*$/.exec(argument)?.[1];
    const letter =
      command === undefined ? argument : /^[ij]$/.test(command) ? command : (SYMBOLS.get(command) ?? '');
    if (letter === '') return;
    const [first = '', ...rest] = letter;
    this.#emit((first + accent).normalize('NFC') + rest.join(''));
  }

  /** `\newcommand{\name}[2][default]{definition}` */
  #define(): void {
    const source = this.#source;
    const name = source.argument().trim().replace(/^\\/, '');
    source.take(/\s*/y);
    const parameters = Number(source.option() ?? 0) || 0;
    source.take(/\s*/y);
    const option = source.option();
    this.#keep(name, source.argument(), parameters, option);
  }

  /** `\def\name#1#2{definition}` */
  #definePlain(): void {
    const source = this.#source;
    const name = source.argument().replace(/^\\/, '');
    const parameters = source.take(/[^{\n]*/y) ?? '';
    const isSimple = /^(?:#\d)*$/.test(parameters.trim());
    const body = source.argument();
    if (isSimple) this.#keep(name, body, parameters.split('#').length - 1);
  }

  /** Macros that are known, or too long to be a name or a phrase, are not expanded. */
  #keep(name: string, body: string, parameters: number, option?: string): void {
    const isKnown =
      HEADINGS.has(name) ||
      SYMBOLS.has(name) ||
      ACCENTS.has(name) ||
      /^(?:begin|end|item|par|\W)$/.test(name);
    if (!isKnown && parameters <= 9 && body.length <= MAX_MACRO && !body.includes(`\\${name}`))
      this.#macros.set(name, { body, parameters, option });
  }

  #expand({ body, parameters, option }: { body: string; parameters: number; option?: string }): void {
    const values: string[] = [];
    if (option !== undefined) values.push(this.#source.option() ?? option);
    while (values.length < parameters) values.push(this.#source.argument());
    this.#source.expand(body.replace(/#(\d)/g, (_, number) => values[Number(number) - 1] ?? ''));
  }

  #language(command: string): void {
    const options = this.#source.option() ?? '';
    const argument = this.#source.argument();
    const names = command === 'usepackage' ? (argument === 'babel' ? options : '') : argument;
    const main = /main=(\w+)/.exec(names)?.[1] ?? names.split(',').at(-1)?.trim() ?? '';
    this.#lang ??= LANGUAGES.get(main);
  }

  #begin(name: string): void {
    const source = this.#source;
    if (name === 'document') {
      this.#inPreamble = false;
      this.#open.length = 0;
      this.#pieces = [];
      return;
    }
    const isCode = VERBATIM.test(name);
    if (isCode || DROPPED.test(name) || MATH.test(name)) {
      if (isCode) source.take(/\[[^\]\n]*\]/y);
      if (name === 'minted') source.argument();
      const content = source.takeUntil(`\\end{${name}}`);
      if (content === undefined) return;
      if (isCode) this.#whole(content.replace(/^[ \t]*\n/, ''));
      else if (MATH.test(name)) this.#emit(` ${mathText(content)} `);
      return;
    }
    if (!this.#isCaptured()) this.#paragraph();
    source.take(/[ \t]*(?:\[[^\]\n]*\])?/y);
    for (let i = SKIPPED_OF_ENVIRONMENT.get(name) ?? 0; i > 0; i--) source.argument();
    if (!TABLES.test(name)) {
      this.#push({ environment: name });
      if (name === 'frame' && source.peek() === '{') this.#heading(5);
    } else {
      const rows: string[][] = [[]];
      const close = () =>
        this.#whole(
          rows
            .filter((row) => row.some((cell) => cell !== ''))
            .map((row) => row.join(' | '))
            .join('\n'),
        );
      this.#push({ environment: name, pieces: [], rows, close });
    }
  }

  #end(name: string): 'end' | undefined {
    if (name === 'document') return 'end';
    const at = this.#open.findLastIndex(({ environment }) => environment === name);
    if (at < 0) return undefined;
    while (this.#open.length > at + 1) this.#pop();
    if (this.#open.at(-1)?.rows) this.#cell();
    this.#pop();
    if (!this.#isCaptured()) this.#paragraph();
    return undefined;
  }
}

/** Quotes and dashes. */
function ligatures(text: string): string {
  return text
    .replaceAll('``', '“')
    .replaceAll("''", '”')
    .replaceAll('---', '—')
    .replaceAll('--', '–')
    .replaceAll('`', '‘')
    .replaceAll('~', ' ');
}

function tidy(text: string): string {
  return text
    .replace(/[ \t\u00A0]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n+/g, '\n')
    .trim();
}
