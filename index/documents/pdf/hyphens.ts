import type { Page } from './pages.ts';

/** Words beyond these are no evidence. */
const MAX_WORDS = 200_000;
/** In characters. Syllables are shorter, so that a part this long that is a word itself is one of a compound with a hyphen. */
const MIN_PART = 5;

/** How often words occur in a document, with and without hyphens, away from the ends of lines. */
export class Vocabulary {
  readonly #counts = new Map<string, number>();

  constructor(pages: Page[]) {
    for (const { blocks } of pages)
      for (const line of blocks.flat())
        for (const [word] of line.text
          .toLowerCase()
          .matchAll(/[\p{L}\p{M}]+(?:[-\u2010][\p{L}\p{M}]+)*(?![-\u2010]$)/gmu))
          this.#add(word.replaceAll('\u2010', '-'));
  }

  #add(word: string): void {
    const count = this.#counts.get(word);
    if (count !== undefined || this.#counts.size < MAX_WORDS) this.#counts.set(word, (count ?? 0) + 1);
  }

  /** How the parts of a word at the end of a line and at the start of the next line join: with `-`, or without. */
  hyphen(left: string, right: string): '-' | '' {
    const [start, end] = [left.toLowerCase().replaceAll('\u2010', '-'), right.toLowerCase()];
    const hyphenated = this.#counts.get(`${start}-${end}`) ?? 0;
    const joined = this.#counts.get(start + end) ?? 0;
    if (hyphenated !== joined) return hyphenated > joined ? '-' : '';
    const occurs = (word: string) => word.length >= MIN_PART && (this.#counts.get(word) ?? 0) > 1;
    if (occurs(start) && occurs(end)) return '-';
    // A word with hyphens already, or with a capital inside, is rarely divided elsewhere.
    return start.includes('-') || /^\p{Lu}/u.test(right) ? '-' : '';
  }

  /** Whether a line break divides a word, as it may in Korean without a hyphen: the document has the whole word elsewhere. */
  dividesWord(left: string, right: string): boolean {
    return this.#counts.has((left + right).toLowerCase());
  }
}
