/** Makes the ids that Asciidoctor gives to headings: `_two_words`, and `_two_words_2` for a repeated one. */
export class HeadingIds {
  /** How many headings have each id. */
  readonly #counts = new Map<string, number>();

  id(heading: string, attributes: ReadonlyMap<string, string>): string {
    const prefix = attributes.get('idprefix') ?? '_';
    const separator = attributes.get('idseparator') ?? '_';
    const words = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} .-]+/gu, '')
      .split(/[ .-]+/)
      .filter((word) => word !== '');
    const id = prefix + words.join(separator);
    const count = (this.#counts.get(id) ?? 0) + 1;
    this.#counts.set(id, count);
    return count === 1 ? id : `${id}${separator}${count}`;
  }
}
