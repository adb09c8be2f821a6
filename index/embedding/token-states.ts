import { CODEWORDS, PART, type TokenCodebook } from '../format/token-codes-file.ts';

/**
 * Tokens of a passage with less information are not stored: they are in most texts. In nats: -log of the token's probability in the
 * tokenizer's unigram model. docs/decisions/0023 has the measured alternatives.
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
