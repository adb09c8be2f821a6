import type { Flow } from './flow.ts';
import type { TexSource } from './source.ts';
import { LANGUAGES } from './symbols.ts';

/** UTF-16 code units. */
const MAX_AUTHOR = 500;

/** What a text declares about itself: its title, author and language. */
export class TopMatter {
  title: string | undefined;
  author: string | undefined;
  lang: string | undefined;
  readonly #source: TexSource;
  readonly #flow: Flow;

  constructor(source: TexSource, flow: Flow) {
    this.#source = source;
    this.#flow = flow;
  }

  /** Reads the arguments of a command. Whether it declares something. */
  declare(command: string): boolean {
    const source = this.#source;
    switch (command) {
      case 'title':
        source.option();
        this.#flow.capture(source, (text) => {
          this.title ??= text.replace(/\s+/g, ' ') || undefined;
        });
        return true;
      case 'author':
        source.option();
        this.#flow.capture(source, (text) => {
          const author = text.replace(/\s+/g, ' ').replaceAll(' ,', ',');
          this.author ??= author.slice(0, MAX_AUTHOR) || undefined;
        });
        return true;
      case 'and':
        this.#flow.append(', ');
        return true;
      case 'date':
        source.argument();
        return true;
      case 'thanks':
        source.option();
        this.#flow.capture(source, () => {});
        return true;
      case 'usepackage':
      case 'setdefaultlanguage':
      case 'setmainlanguage':
        this.#language(command);
        return true;
      default:
        return false;
    }
  }

  #language(command: string): void {
    const options = this.#source.option() ?? '';
    const argument = this.#source.argument();
    const names = command === 'usepackage' ? (argument === 'babel' ? options : '') : argument;
    const main = /main=(\w+)/.exec(names)?.[1] ?? names.split(',').at(-1)?.trim() ?? '';
    this.lang ??= LANGUAGES.get(main);
  }
}
