import { readSections } from '../format/container.ts';
import { type SpecialToken, TOKENIZER } from '../format/tokenizer-file.ts';
import { CharacterMap } from './character-map.ts';
import { visitPrefixes } from './double-array.ts';

/** What a character that no piece covers costs below the worst piece (SentencePiece's kUnkPenalty). */
const UNKNOWN_PENALTY = 10;

const SPACE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const METASPACE = '\u2581';

/** A Unigram tokenizer (Kudo 2018, arXiv:1804.10959) in the manner of XLM-R: character map, words, Viterbi over pieces. */
export class Tokenizer {
  readonly begin: number;
  readonly end: number;
  readonly #unknown: number;
  readonly #unknownScore: number;
  readonly #map: CharacterMap;
  readonly #trie: Uint32Array;
  readonly #scores: Float32Array;
  readonly #special: Map<string, SpecialToken>;
  readonly #specialPattern: RegExp;

  /**
   * @param bytes a whole `tokenizer.bin`
   * @throws if magic, version or length are not those of the format
   */
  constructor(bytes: Uint8Array) {
    const [settings, special, mapTrie, replacements, trie, scores] = readSections(
      bytes,
      TOKENIZER,
      'tokenizer.bin',
    );
    const view = new DataView(settings!.buffer, settings!.byteOffset);
    this.begin = view.getUint32(0, true);
    this.end = view.getUint32(4, true);
    this.#unknown = view.getUint32(8, true);
    this.#unknownScore = view.getFloat32(12, true) - UNKNOWN_PENALTY;
    this.#map = new CharacterMap(asUint32(mapTrie!), replacements!);
    this.#trie = asUint32(trie!);
    this.#scores = new Float32Array(scores!.buffer, scores!.byteOffset, scores!.byteLength / 4);
    const tokens = JSON.parse(Buffer.from(special!).toString()) as SpecialToken[];
    this.#special = new Map(tokens.map((token) => [token.content, token]));
    this.#specialPattern = new RegExp(
      `(${tokens.map((token) => literal(token.content)).join('|') || '(?!)'})`,
    );
  }

  /** The ids of any string, between the model's begin and end tokens. Lone surrogates count as U+FFFD. */
  encode(text: string): number[] {
    return [this.begin, ...this.pieces(text), this.end];
  }

  /** The ids of any string, without begin and end tokens. */
  pieces(text: string): number[] {
    const ids: number[] = [];
    const parts = text.toWellFormed().split(this.#specialPattern);
    parts.forEach((part, i) => {
      const special = i % 2 === 1 ? this.#special.get(part) : undefined;
      if (special) ids.push(special.id);
      else this.#encodePlain(this.#special.get(parts[i + 1] ?? '')?.lstrip ? part.trimEnd() : part, ids);
    });
    return ids;
  }

  #encodePlain(text: string, ids: number[]): void {
    if (text === '') return;
    for (const word of this.#map.normalize(text).split(SPACE)) {
      if (word === '') continue;
      const marked = word.startsWith(METASPACE) ? word : METASPACE + word;
      for (const part of marked.split(/(?=\u2581)/)) this.#encodeWord(Buffer.from(part), ids);
    }
  }

  /** The most likely cut of a word into pieces; ties go to the piece that starts first, neighbouring unknowns become one. */
  #encodeWord(bytes: Uint8Array, ids: number[]): void {
    const length = bytes.length;
    const score = new Float64Array(length + 1);
    const from = new Int32Array(length + 1).fill(-1);
    const piece = new Int32Array(length + 1);
    for (let start = 0; start < length; ) {
      const character = start + utf8Length(bytes[start]!);
      const here = score[start]!;
      let covered = false;
      visitPrefixes(this.#trie, bytes, start, length, (id, end) => {
        const candidate = here + this.#scores[id]!;
        if (from[end] === -1 || candidate > score[end]!) {
          score[end] = candidate;
          from[end] = start;
          piece[end] = id;
        }
        if (end === character) covered = true;
        return undefined;
      });
      if (!covered) {
        const candidate = here + this.#unknownScore;
        if (from[character] === -1 || candidate > score[character]!) {
          score[character] = candidate;
          from[character] = start;
          piece[character] = this.#unknown;
        }
      }
      start = character;
    }
    const path: number[] = [];
    for (let end = length; end > 0; end = from[end]!) {
      const id = piece[end]!;
      if (id !== this.#unknown || path.at(-1) !== this.#unknown) path.push(id);
    }
    for (let i = path.length - 1; i >= 0; i--) ids.push(path[i]!);
  }
}

function utf8Length(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function asUint32(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** A pattern that matches this text alone. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
