import type { FileChecks } from '../format/checks.ts';
import { damaged } from '../format/container.ts';
import {
  readTokenizer,
  type SpecialToken,
  type TokenizerParts,
  visitPrefixes,
} from '../format/tokenizer-file.ts';
import { CharacterMap } from './character-map.ts';

/** A part of a text, in UTF-16 code units. */
export type Range = [start: number, end: number];

/** A character that no piece covers scores this much below the worst piece (SentencePiece's kUnkPenalty). */
const UNKNOWN_PENALTY = 10;

const SPACE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const WORD = new RegExp(SPACE.source.replace('[', '[^'), 'g');
const METASPACE = '\u2581';

/** A Unigram tokenizer (Kudo 2018, arXiv:1804.10959) as XLM-R uses it: character map, words, Viterbi over pieces. */
export class Tokenizer {
  readonly begin: number;
  readonly end: number;
  readonly #name: string;
  readonly #unknown: number;
  readonly #unknownScore: number;
  readonly #map: CharacterMap;
  readonly #trie: Uint32Array;
  readonly #scores: Float32Array;
  readonly #touch: TokenizerParts['touch'];
  readonly #special: Map<string, SpecialToken>;
  readonly #specialPattern: RegExp;

  /**
   * @param bytes a whole `tokenizer.bin`
   * @param name of the file, for errors
   * @param checks of the file's blocks
   * @throws if the file is damaged or has another format
   */
  constructor(bytes: Uint8Array, name = 'tokenizer.bin', checks?: FileChecks) {
    const { begin, end, unknown, lowestScore, special, mapTrie, replacements, pieceTrie, scores, touch } =
      readTokenizer(bytes, name, checks);
    this.begin = begin;
    this.end = end;
    this.#name = name;
    this.#unknown = unknown;
    this.#unknownScore = lowestScore - UNKNOWN_PENALTY;
    this.#map = new CharacterMap(mapTrie, replacements, name, touch);
    this.#touch = touch;
    this.#trie = pieceTrie;
    this.#scores = scores;
    this.#special = new Map(special.map((token) => [token.content, token]));
    this.#specialPattern = new RegExp(
      `(${special.map((token) => literal(token.content)).join('|') || '(?!)'})`,
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

  /** The information of a token in nats: -log of its probability in the unigram model. 0 for special and unknown tokens. */
  information(id: number): number {
    this.#touch.scores(id);
    return -(this.#scores[id] ?? 0);
  }

  /** The range of each piece in the text, in UTF-16 code units. It is empty for a piece that only marks the start of a word. */
  places(text: string): Range[] {
    const places: Range[] = [];
    let offset = 0;
    text
      .toWellFormed()
      .split(this.#specialPattern)
      .forEach((part, i) => {
        if (i % 2 === 1) places.push([offset, offset + part.length]);
        else if (part !== '') this.#placePlain(part, offset, places);
        offset += part.length;
      });
    return places;
  }

  #encodePlain(text: string, ids: number[]): void {
    if (text === '') return;
    for (const word of this.#map.normalize(text).split(SPACE))
      if (word !== '') for (const part of markedParts(word)) this.#encodeWord(Buffer.from(part), ids);
  }

  #placePlain(text: string, offset: number, places: Range[]): void {
    const { normalized, starts, ends } = this.#map.trace(text);
    for (const { 0: word, index } of normalized.matchAll(WORD)) {
      let unit = index;
      markedParts(word).forEach((part, i) => {
        const isAdded = i === 0 && !word.startsWith(METASPACE);
        // For each byte of the part, the unit of the normalized text that it belongs to.
        const units = [...part].flatMap((character, place) => {
          const own = unit;
          if (!(isAdded && place === 0)) unit += character.length;
          return Array<number>(Buffer.byteLength(character)).fill(own);
        });
        const marked = isAdded ? Buffer.byteLength(METASPACE) : 0;
        const spans: Range[] = [];
        this.#encodeWord(Buffer.from(part), [], spans);
        for (const [from, to] of spans) {
          const first = units[Math.max(from, marked)];
          if (to <= marked || first === undefined)
            places.push([offset + starts[index]!, offset + starts[index]!]);
          else places.push([offset + starts[first]!, offset + ends[units[to - 1]!]!]);
        }
      });
    }
  }

  /**
   * The most likely segmentation of a word into pieces. Ties go to the piece that starts first; adjacent unknowns are merged.
   * `from` always leads back to 0: each character's end gets an entry before it becomes a start, and entries point to earlier starts.
   */
  #encodeWord(bytes: Uint8Array, ids: number[], spans?: Range[]): void {
    const length = bytes.length;
    const score = new Float64Array(length + 1);
    const from = new Int32Array(length + 1).fill(-1);
    const piece = new Int32Array(length + 1);
    for (let start = 0; start < length; ) {
      const character = start + utf8Length(bytes[start]!);
      const here = score[start]!;
      let covered = false;
      const visit = (id: number, end: number) => {
        this.#touch.scores(id);
        const own = this.#scores[id];
        if (own === undefined)
          throw damaged(this.#name, `its trie has piece ${id} of ${this.#scores.length}`);
        const candidate = here + own;
        if (from[end] === -1 || candidate > score[end]!) {
          score[end] = candidate;
          from[end] = start;
          piece[end] = id;
        }
        if (end === character) covered = true;
        return undefined;
      };
      visitPrefixes(this.#trie, bytes, start, length, visit, this.#touch.pieceTrie);
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
    const reversed: Range[] = [];
    for (let end = length; end > 0; end = from[end]!) {
      const id = piece[end]!;
      if (id === this.#unknown && path.at(-1) === this.#unknown) {
        reversed.at(-1)![0] = from[end]!;
        continue;
      }
      path.push(id);
      reversed.push([from[end]!, end]);
    }
    for (let i = path.length - 1; i >= 0; i--) ids.push(path[i]!);
    spans?.push(...reversed.reverse());
  }
}

/** A word with its start marked, split before each mark. */
function markedParts(word: string): string[] {
  const marked = word.startsWith(METASPACE) ? word : METASPACE + word;
  return marked.split(/(?=\u2581)/);
}

function utf8Length(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** A pattern that matches exactly this text. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
