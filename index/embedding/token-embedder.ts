import type { CompiledModel } from '../format/compiled-model.ts';
import { CODEWORDS, PART, type TokenCodebook } from '../format/tokens-file.ts';
import type { EncodedTokens } from './encoder.ts';
import type { TokenMatcher } from './token-matcher.ts';
import type { Range, Tokenizer } from './tokenizer.ts';

type Kind = keyof CompiledModel['prefixes'];

/** A passage's vector, and the compressed states of its informative tokens. */
export interface EmbeddedPassage {
  vector: Float32Array;
  /** `dimensions / PART` codes for each token. */
  codes: Uint8Array;
}

/** A question's vector, and a state for each of its tokens. */
export interface EmbeddedQuestion {
  vector: Float32Array;
  /** Centered, `dimensions` numbers for each token. */
  states: Float32Array;
  /** The weight of each token. Their sum is 1. */
  weights: Float32Array;
}

/** A text's vector, and its own tokens: without prefix, begin and end. */
export interface OwnTokens extends EncodedTokens {
  ids: number[];
}

export interface TokenEmbedder {
  passage(text: string): Promise<EmbeddedPassage>;
  question(text: string): Promise<EmbeddedQuestion>;
  /** Compares a question's token states with passages' codes. */
  readonly match: TokenMatcher;
  /** The part of a text for each token of `question`, or for each token of `passage`. */
  places(text: string, kind: Kind): Range[];
}

/** The parts of an open model that embed token by token. */
interface TokenEmbedderParts {
  tokenizer: Tokenizer;
  codebook: TokenCodebook;
  match: TokenMatcher;
  prefixes: CompiledModel['prefixes'];
  /** Runs the encoder on a text with the prefix of its kind. */
  encode: (text: string, kind: Kind) => Promise<OwnTokens>;
}

/** Embeds token by token with a model on the calling thread. */
export function createTokenEmbedder(parts: TokenEmbedderParts): TokenEmbedder {
  const { tokenizer, codebook, match, prefixes, encode } = parts;
  const columns = codebook.centers.query.length;
  const embed = async (text: string, kind: Kind) => {
    const { vector, ids, states } = await encode(text, kind);
    const information = informationOf(tokenizer, ids);
    return { vector, information, states: centered(states, codebook.centers[kind]) };
  };
  return {
    match,
    async question(text) {
      const { vector, information, states } = await embed(text, 'query');
      return { vector, states, weights: tokenWeights(information) };
    },
    async passage(text) {
      const { vector, information, states } = await embed(text, 'passage');
      const stored = storedTokens(information);
      const kept = new Float32Array(stored.length * columns);
      stored.forEach((token, i) => {
        kept.set(states.subarray(token * columns, (token + 1) * columns), i * columns);
      });
      return { vector, codes: compress(kept, codebook) };
    },
    places: (text, kind) => placesOf(tokenizer, prefixes, text, kind),
  };
}

/** The part of a text for each of its tokens, or for each stored token of a passage. */
export function placesOf(
  tokenizer: Tokenizer,
  prefixes: CompiledModel['prefixes'],
  text: string,
  kind: Kind,
): Range[] {
  const prefix = prefixes[kind];
  // The first character of a text can change with the text before it.
  const before = tokenizer.pieces(prefix).length;
  const inText = (place: number) => Math.max(0, place - prefix.length);
  const places = tokenizer
    .places(prefix + text)
    .slice(before)
    .map(([start, end]): Range => [inText(start), inText(end)]);
  if (kind === 'query') return places;
  const ids = tokenizer.pieces(prefix + text).slice(before);
  return storedTokens(informationOf(tokenizer, ids)).map((token) => places[token]!);
}

/** The information of each token, in nats. */
function informationOf(tokenizer: Tokenizer, ids: readonly number[]): Float32Array {
  return Float32Array.from(ids, (id) => tokenizer.information(id));
}

/**
 * Tokens of a passage with less information are not stored: they are in most texts. In nats: -log of the token's probability in the
 * tokenizer's unigram model. docs/decisions/0006 has the measured alternatives.
 */
const STORED = 9;
/** Tokens of a question with less information have almost no weight. */
const FREQUENT = 7;
/** The weight of a frequent token, in nats, so that a question of frequent tokens still has weights. */
const LEAST = 0.05;

/**
 * The tokens of a passage whose states are stored, as ascending places. All tokens if none is informative enough.
 * @param information of each token, in nats
 */
export function storedTokens(information: Float32Array): number[] {
  const places = Array.from(information.keys());
  const informative = places.filter((place) => information[place]! >= STORED);
  return informative.length > 0 ? informative : places;
}

/**
 * The weights of a question's tokens: their information beyond that of frequent tokens, scaled to a sum of 1.
 * @param information of each token, in nats
 */
export function tokenWeights(information: Float32Array): Float32Array {
  const weights = information.map((nats) => Math.max(0, nats - FREQUENT) + LEAST);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Subtracts the center from token states and scales them to length 1, in place. Without the center, all states point in nearly the
 * same direction.
 * @param states `center.length` numbers for each token
 */
export function centered(states: Float32Array, center: Float32Array): Float32Array {
  const columns = center.length;
  for (let start = 0; start < states.length; start += columns) {
    let squares = 0;
    for (let i = 0; i < columns; i++) {
      const value = states[start + i]! - center[i]!;
      states[start + i] = value;
      squares += value * value;
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < columns; i++) states[start + i]! *= scale;
  }
  return states;
}

/**
 * Compresses token states: the number of the nearest codeword for each part.
 * @param states centered, `columns` numbers for each token
 * @returns `columns / PART` codes for each token
 */
export function compress(states: Float32Array, { centers, codewords }: TokenCodebook): Uint8Array {
  const parts = centers.passage.length / PART;
  const halfSquares = new Float64Array(parts * CODEWORDS);
  for (let word = 0; word < halfSquares.length; word++)
    for (let i = 0; i < PART; i++) halfSquares[word]! += codewords[word * PART + i]! ** 2 / 2;
  const codes = new Uint8Array(states.length / PART);
  for (let at = 0; at < codes.length; at++) {
    const first = (at % parts) * CODEWORDS;
    let best = Number.NEGATIVE_INFINITY;
    for (let code = 0; code < CODEWORDS; code++) {
      const word = first + code;
      let product = -halfSquares[word]!;
      for (let i = 0; i < PART; i++) product += states[at * PART + i]! * codewords[word * PART + i]!;
      if (product > best) {
        best = product;
        codes[at] = code;
      }
    }
  }
  return codes;
}
