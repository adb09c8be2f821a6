import { HEADINGS } from './commands.ts';
import type { TexSource } from './source.ts';
import { ACCENTS, SYMBOLS } from './symbols.ts';

/** UTF-16 code units of the definition of a macro. */
const MAX_MACRO = 500;

interface Macro {
  body: string;
  parameters: number;
  /** Default of the first argument, which then is optional. */
  option?: string;
}

/** The macros that a text defines, and their use. */
export class Macros {
  readonly #macros = new Map<string, Macro>();
  readonly #source: TexSource;

  constructor(source: TexSource) {
    this.#source = source;
  }

  /** Reads the rest of a definition. Whether the command is one. */
  define(command: string): boolean {
    switch (command) {
      case 'newcommand':
      case 'renewcommand':
      case 'providecommand':
      case 'DeclareRobustCommand':
        this.#newCommand();
        return true;
      case 'def':
      case 'gdef':
      case 'edef':
        this.#def();
        return true;
      case 'let':
        this.#source.argument();
        this.#source.take(/\s*=\s*/y);
        this.#source.argument();
        return true;
      default:
        return false;
    }
  }

  /** Replaces a macro and its arguments by its definition. Whether there is one. */
  expand(name: string): boolean {
    const macro = this.#macros.get(name);
    if (!macro) return false;
    const { body, parameters, option } = macro;
    const values: string[] = [];
    if (option !== undefined) values.push(this.#source.option() ?? option);
    while (values.length < parameters) values.push(this.#source.argument());
    this.#source.expand(body.replace(/#(\d)/g, (_, number) => values[Number(number) - 1] ?? ''));
    return true;
  }

  /** `\newcommand{\name}[2][default]{definition}` */
  #newCommand(): void {
    const source = this.#source;
    const name = source.argument().trim().replace(/^\\/, '');
    source.take(/\s*/y);
    const parameters = Number(source.option() ?? 0) || 0;
    source.take(/\s*/y);
    const option = source.option();
    this.#keep(name, { body: source.argument(), parameters, option });
  }

  /** `\def\name#1#2{definition}` */
  #def(): void {
    const source = this.#source;
    const name = source.argument().replace(/^\\/, '');
    const parameters = source.take(/[^{\n]*/y) ?? '';
    const isSimple = /^(?:#\d)*$/.test(parameters.trim());
    const body = source.argument();
    if (isSimple) this.#keep(name, { body, parameters: parameters.split('#').length - 1 });
  }

  /** Macros that are known, or too long to be a name or a phrase, are not expanded. */
  #keep(name: string, macro: Macro): void {
    const isKnown =
      HEADINGS.has(name) ||
      SYMBOLS.has(name) ||
      ACCENTS.has(name) ||
      /^(?:begin|end|item|par|\W)$/.test(name);
    const { body, parameters } = macro;
    if (!isKnown && parameters <= 9 && body.length <= MAX_MACRO && !body.includes(`\\${name}`))
      this.#macros.set(name, macro);
  }
}
