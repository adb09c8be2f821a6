import type { Block, Document } from '../../document.ts';
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
import { Flow } from './flow.ts';
import { ligatures } from './ligatures.ts';
import { Macros } from './macros.ts';
import { TexSource } from './source.ts';
import { ACCENTS, accented, SYMBOLS } from './symbols.ts';
import { TopMatter } from './top-matter.ts';

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
  readonly #flow: Flow;
  readonly #topMatter: TopMatter;
  readonly #macros: Macros;

  constructor(text: string, path: string) {
    this.#source = new TexSource(text);
    this.#flow = new Flow(path, /\\begin\s*\{document\}/.test(text));
    this.#topMatter = new TopMatter(this.#source, this.#flow);
    this.#macros = new Macros(this.#source);
  }

  /** Headings have their depth as level. */
  read(): Pick<TopMatter, 'title' | 'author' | 'lang'> & { blocks: Block[] } {
    const source = this.#source;
    const flow = this.#flow;
    for (let char = source.peek(); char !== undefined; char = source.peek()) {
      if (char === '\\') {
        if (this.#command() === 'end') break;
      } else if (char === '%') source.take(/%[^\n]*(?:\n[ \t]*(?!\n))?/y);
      else if (char === '{') {
        source.skip(1);
        flow.openGroup();
      } else if (char === '}') {
        source.skip(1);
        flow.closeGroup();
      } else if (char === '$') this.#math();
      else if (char === '&') {
        source.skip(1);
        flow.endCell();
      } else if (char === '\n') {
        if ((source.take(/\n\s*/y) ?? '').split('\n').length > 2) flow.endParagraph();
        else flow.append(' ');
      } else flow.append(ligatures(source.take(/[^\\%{}$&\n]+/y) ?? '', this.#topMatter.lang));
    }
    flow.close();
    const { title, author, lang } = this.#topMatter;
    return { blocks: flow.blocks, title, author, lang };
  }

  #math(): void {
    const isDisplay = this.#source.take(/\$\$/y) !== undefined;
    if (!isDisplay) this.#source.skip(1);
    const content = this.#source.takeUntil(isDisplay ? '$$' : '$', /\n\s*\n/);
    this.#flow.append(content === undefined ? '$' : mathText(content));
  }

  #command(): 'end' | undefined {
    const source = this.#source;
    source.skip(1);
    const name = source.take(/[a-zA-Z@]+\*?|[\s\S]/uy);
    if (name === undefined) return undefined;
    const bare = name.replace(/\*$/, '');
    if (/[a-zA-Z]/.test(name)) source.take(/[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?/y);
    if (this.#macros.expand(name)) return undefined;
    if (ACCENTS.has(name)) {
      source.take(/[ \t]*/y);
      this.#flow.append(accented(source.argument().trim(), ACCENTS.get(name)!));
    } else if (SYMBOLS.has(name)) {
      this.#flow.append(SYMBOLS.get(name)!);
      source.take(/\{\}/y);
    } else if (HEADINGS.has(bare)) this.#flow.heading(source, HEADINGS.get(bare)!);
    else if (bare === 'begin') this.#begin(source.argument());
    else if (bare === 'end') {
      const environment = source.argument();
      if (environment === 'document') return 'end';
      this.#flow.closeEnvironment(environment);
    } else if (!this.#macros.define(bare) && !this.#topMatter.declare(bare)) this.#other(name, bare);
    return undefined;
  }

  #other(name: string, bare: string): void {
    const source = this.#source;
    const flow = this.#flow;
    switch (bare) {
      case '\\':
      case 'newline':
      case 'linebreak':
      case 'tabularnewline':
      case 'cr':
        source.take(/\*?[ \t]*(?:\[[^\]\n]*\])?/y);
        flow.breakLine();
        return;
      case 'par':
      case 'bigskip':
      case 'medskip':
      case 'smallskip':
      case 'newpage':
      case 'clearpage':
        flow.endParagraph();
        return;
      case 'item':
        this.#item();
        return;
      case '(':
      case '[': {
        const content = source.takeUntil(bare === '(' ? '\\)' : '\\]');
        flow.append(content === undefined ? ' ' : mathText(content));
        return;
      }
      case 'verb':
      case 'lstinline': {
        source.option();
        const mark = source.take(/[^a-zA-Z\s]/uy);
        if (mark !== undefined) flow.append(source.takeUntil(mark === '{' ? '}' : mark, /\n\s*\n/) ?? mark);
        return;
      }
      case 'url':
      case 'nolinkurl':
      case 'path':
        flow.append(source.argument().replace(/\\([%#&_~])/g, '$1'));
        return;
      case 'footnote':
      case 'footnotetext':
        source.option();
        flow.note(source);
        return;
      case 'footnotemark':
        source.option();
        return;
      case 'caption':
      case 'captionof':
        if (bare === 'captionof') source.argument();
        source.option();
        flow.capture(source, (text) => flow.whole(text));
        return;
      case 'iffalse':
        source.takeUntil('\\fi');
        return;
      case 'ensuremath':
        flow.append(mathText(source.argument()));
        return;
      case 'texorpdfstring': {
        const typeset = source.argument();
        source.argument();
        source.expand(typeset);
        return;
      }
      case 'bibitem':
        flow.endParagraph();
        break;
    }
    if (!/[a-zA-Z]/.test(name)) {
      flow.append(
        name === '-' || name === '/' || name === '@' || name === '!'
          ? ''
          : /[,;:>\s]/.test(name)
            ? ' '
            : name,
      );
      return;
    }
    if (bare === 'quad' || bare === 'qquad' || bare === 'enspace' || bare === 'hfill') flow.append(' ');
    const skipped = SKIPPED.get(bare) ?? 0;
    // Options of commands are no text.
    for (let i = 0; i < 2 && source.option() !== undefined; i++);
    for (let i = 0; i < skipped; i++) source.argument();
  }

  #item(): void {
    const label = this.#source.option();
    if (this.#flow.isCaptured) {
      this.#flow.append(' ');
      return;
    }
    this.#flow.append('\n');
    if (label) this.#source.expand(`${label}\\\\ `);
  }

  #begin(name: string): void {
    const source = this.#source;
    const flow = this.#flow;
    if (name === 'document') {
      flow.openDocument();
      return;
    }
    const isCode = VERBATIM.test(name);
    if (isCode || DROPPED.test(name) || MATH.test(name)) {
      if (isCode) source.take(/\[[^\]\n]*\]/y);
      if (name === 'minted') source.argument();
      const content = source.takeUntil(`\\end{${name}}`);
      if (content === undefined) return;
      if (isCode) flow.whole(content.replace(/^[ \t]*\n/, ''));
      else if (MATH.test(name)) flow.append(` ${mathText(content)} `);
      return;
    }
    if (!flow.isCaptured) flow.endParagraph();
    source.take(/[ \t]*(?:\[[^\]\n]*\])?/y);
    for (let i = SKIPPED_OF_ENVIRONMENT.get(name) ?? 0; i > 0; i--) source.argument();
    if (TABLES.test(name)) flow.openTable(name);
    else flow.openEnvironment(name);
    if (name === 'frame' && source.peek() === '{') flow.heading(source, 5);
  }
}
