import { damaged } from '../format/container.ts';
import { type Touch, visitPrefixes } from '../format/tokenizer-file.ts';
import { segments } from '../text/segmenter.ts';

/** Text in which every UTF-16 unit is its own grapheme. It needs no segmentation, a third of the cost of a short question. */
const PLAIN =
  /^[\n\x20-\u02ff\u0370-\u0482\u048a-\u052f\u0e01\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]*$/;

/** Characters whose replacements are remembered. Most texts have no others. */
const MOST_KNOWN = 4096;

/**
 * SentencePiece's precompiled character map (for XLM-R: NMT-NFKC), applied as the reference tokenizers do. A grapheme of at most 5
 * bytes is looked up whole, a longer or unknown one character by character. Characters without a key stay unchanged.
 * @see https://github.com/google/sentencepiece/blob/master/doc/normalization.md
 */
export class CharacterMap {
  readonly #trie: Uint32Array;
  readonly #replacements: Buffer;
  readonly #name: string;
  readonly #touch: Record<'mapTrie' | 'replacements', Touch>;
  /** The first characters that were looked up. */
  readonly #known = new Map<string, string>();

  /**
   * @param trie double array from a sequence of bytes to a position in `replacements`
   * @param replacements UTF-8 strings, each ended by a zero byte
   * @param name of their file, for errors
   * @param touch what to call before a read of each
   */
  constructor(
    trie: Uint32Array,
    replacements: Uint8Array,
    name: string,
    touch: Record<'mapTrie' | 'replacements', Touch>,
  ) {
    this.#touch = touch;
    this.#trie = trie;
    this.#name = name;
    this.#replacements = Buffer.from(replacements.buffer, replacements.byteOffset, replacements.byteLength);
  }

  normalize(text: string): string {
    if (PLAIN.test(text)) return this.#characters(text);
    let out = '';
    for (const { segment: grapheme } of segments(text, 'grapheme')) {
      const whole = grapheme.length < 6 ? this.#whole(grapheme) : undefined;
      out += whole ?? this.#characters(grapheme);
    }
    return out;
  }

  /**
   * Normalizes a text, and finds where each UTF-16 unit of the result comes from: the range of the character, or of the grapheme that
   * was replaced as a whole.
   */
  trace(text: string): { normalized: string; starts: number[]; ends: number[] } {
    let normalized = '';
    const [starts, ends]: [number[], number[]] = [[], []];
    const add = (part: string, start: number, end: number) => {
      normalized += part;
      for (let i = 0; i < part.length; i++) {
        starts.push(start);
        ends.push(end);
      }
    };
    for (const { segment, index } of segments(text, 'grapheme')) {
      const whole = segment.length < 6 ? this.#whole(segment) : undefined;
      if (whole !== undefined) add(whole, index, index + segment.length);
      else {
        let start = index;
        for (const character of segment) {
          add(this.#characters(character), start, start + character.length);
          start += character.length;
        }
      }
    }
    return { normalized, starts, ends };
  }

  #whole(grapheme: string): string | undefined {
    const bytes = Buffer.from(grapheme);
    return bytes.length < 6 ? this.#lookUp(bytes) : undefined;
  }

  #characters(text: string): string {
    let out = '';
    for (const character of text) {
      const known = this.#known.get(character) ?? this.#lookUp(Buffer.from(character)) ?? character;
      if (this.#known.size < MOST_KNOWN) this.#known.set(character, known);
      out += known;
    }
    return out;
  }

  /** The replacement of the shortest key that is a prefix of `bytes`, as in the reference, which takes its first match. */
  #lookUp(bytes: Buffer): string | undefined {
    let found: string | undefined;
    const visit = (position: number) => {
      let end = position;
      do this.#touch.replacements(end);
      while (this.#replacements[end++]);
      if (end > this.#replacements.length)
        throw damaged(this.#name, `its character map has no replacement at byte ${position}`);
      found = this.#replacements.toString('utf8', position, end - 1);
      return true;
    };
    visitPrefixes(this.#trie, bytes, 0, bytes.length, visit, this.#touch.mapTrie);
    return found;
  }
}
