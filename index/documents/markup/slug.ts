/** Everything but letters, marks, digits, connectors such as `_`, hyphens and spaces. */
const DROPPED = /[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\- ]/gu;

/**
 * Makes the ids that GitHub gives to headings: lower case, without punctuation, spaces as hyphens, and a number for repeated ones. The
 * rule is that of the package github-slugger 2.
 */
export class Slugger {
  readonly #counts = new Map<string, number>();

  slug(heading: string): string {
    const slug = heading.toLowerCase().replace(DROPPED, '').replaceAll(' ', '-');
    let unique = slug;
    let count = this.#counts.get(slug) ?? 0;
    while (this.#counts.has(unique)) unique = `${slug}-${++count}`;
    this.#counts.set(slug, count);
    if (unique !== slug) this.#counts.set(unique, 0);
    return unique;
  }
}
