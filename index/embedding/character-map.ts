import { segments } from '../text/segmenter.ts';
import { visitPrefixes } from './double-array.ts';

/** Text of which every UTF-16 unit is a grapheme of its own, so that it need not be segmented (a third of the cost of a short question). */
const PLAIN =
  /^[\n\x20-\u02ff\u0370-\u0482\u048a-\u052f\u0e01\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]*$/;

/**
 * SentencePiece's precompiled character map (for XLM-R: NMT-NFKC), applied as the reference tokenizers do: a grapheme of at most 5 bytes
 * is looked up whole, a longer or unknown one character by character, and what no key is a prefix of stays as it is.
 * @see https://github.com/google/sentencepiece/blob/master/doc/normalization.md
 */
export class CharacterMap {
  readonly #trie: Uint32Array;
  readonly #replacements: Buffer;

  /**
   * @param trie double array from a sequence of bytes to a position in `replacements`
   * @param replacements UTF-8 strings, each ended by a zero byte
   */
  constructor(trie: Uint32Array, replacements: Uint8Array) {
    this.#trie = trie;
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

  #whole(grapheme: string): string | undefined {
    const bytes = Buffer.from(grapheme);
    return bytes.length < 6 ? this.#lookUp(bytes) : undefined;
  }

  #characters(text: string): string {
    let out = '';
    for (const character of text) out += this.#lookUp(Buffer.from(character)) ?? character;
    return out;
  }

  /** The replacement of the shortest key that starts `bytes`: the reference takes the first one that its search gives. */
  #lookUp(bytes: Buffer): string | undefined {
    let found: string | undefined;
    visitPrefixes(this.#trie, bytes, 0, bytes.length, (position) => {
      found = this.#replacements.toString('utf8', position, this.#replacements.indexOf(0, position));
      return true;
    });
    return found;
  }
}
