const SENTENCE_END = /(?<=[.!?…])\s+|(?<=[。！？])/;
const HASHES = 4;

/**
 * The lines and sentences that were read so far. A Bloom filter (Bloom 1970): bounded memory, however long a file is. With a bit
 * each 27 sentences it takes one unknown sentence of a million for a known one.
 */
export class KnownText {
  /** The filter's bits. Memory that was never written costs nothing. */
  readonly #bits: Uint8Array;
  readonly #mask: number;

  /** @param bytes at most; a power of 2 */
  constructor(bytes: number) {
    this.#bits = new Uint8Array(bytes);
    this.#mask = bytes * 8 - 1;
  }

  /** Adds the lines and the sentences of a text. */
  add(text: string): void {
    for (const paragraph of paragraphsOf(text))
      for (const part of [...paragraph.split('\n'), ...sentencesOf(paragraph)])
        for (const place of this.#places(part)) this.#bits[place >>> 3]! |= 1 << (place & 7);
  }

  /** What is new in a text: its paragraphs without known sentences. Mail programs break quoted lines anew, so lines may differ. */
  newIn(text: string): string {
    return paragraphsOf(text)
      .map((paragraph) => {
        const lines = paragraph.split('\n').filter((line) => !this.#has(line));
        if (lines.length === 0) return '';
        const sentences = sentencesOf(paragraph).filter((sentence) => !this.#has(sentence));
        const [byLine, bySentence] = [lines.join('\n'), sentences.join(' ')];
        return byLine.length < bySentence.length ? byLine : bySentence;
      })
      .filter((paragraph) => paragraph.trim() !== '')
      .join('\n\n');
  }

  #has(text: string): boolean {
    return this.#places(text).every((place) => (this.#bits[place >>> 3]! >> (place & 7)) & 1);
  }

  /** Double hashing (Kirsch and Mitzenmacher 2006) of two FNV-1a hashes. None for a text without letters, digits and symbols. */
  #places(text: string): number[] {
    const key = keyOf(text);
    if (key === '') return [];
    const a = hash(key, 0x811c9dc5);
    const b = hash(key, 0x01234567) | 1;
    return Array.from({ length: HASHES }, (_, i) => (a + Math.imul(i, b)) & this.#mask);
  }
}

function paragraphsOf(text: string): string[] {
  return text.split(/\n\s*\n/);
}

function sentencesOf(paragraph: string): string[] {
  return paragraph.split(SENTENCE_END);
}

/** Letters, digits and symbols only. */
function keyOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{S}]+/gu, '');
}

function hash(key: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
