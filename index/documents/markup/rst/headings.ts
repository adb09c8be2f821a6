import type { BlockList } from '../block-list.ts';

/** A line of one punctuation mark: above and below headings, and between sections. */
export const ADORNMENT = /^([!-/:-@[-`{-~])\1*$/;

/** Whether the next line makes this one a heading. */
export function isUnderline(line: string, next: string): boolean {
  return (
    ADORNMENT.test(next) &&
    (next.length >= line.length || next.length >= 4) &&
    !line.startsWith(' ') &&
    line !== '' &&
    !ADORNMENT.test(line)
  );
}

/** Gives headings the levels and ids that docutils and Sphinx give them. */
export class Headings {
  /** Adornments in order of appearance. */
  readonly #levels: string[] = [];
  readonly #ids = new Set<string>();

  /** @param adornment its character, with `over` if there is a line above too */
  add(list: BlockList, title: string, adornment: string): void {
    let level = this.#levels.indexOf(adornment);
    if (level < 0) level = this.#levels.push(adornment) - 1;
    const id = makeId(title);
    // Sphinx numbers ids of repeated titles and of titles without Latin letters.
    const anchor = id === '' || this.#ids.has(id) ? undefined : id;
    this.#ids.add(id);
    list.heading(level + 1, title, list.takeAnchor() ?? anchor);
  }
}

/** The id that docutils makes of a name or title: ASCII letters, digits and hyphens. */
export function makeId(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
}
