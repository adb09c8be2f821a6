import type { EngineLibrary } from '../engine/library.ts';
import {
  BLOCK_TOKENS,
  blockBytes,
  CODEWORDS,
  firstByte,
  PART,
  type TokenCodes,
} from '../format/tokens-file.ts';

/** The most similar tokens of some passages: for each passage, for each token of the question, a similarity and a place. */
export interface TokenMatches {
  /** Tokens of the question. */
  tokens: number;
  /** For each passage, for each token of the question: the similarity, and the number of the token in the passage. */
  best: Float32Array;
}

/**
 * Compares a question's token states with compressed ones of passages: the interface to the engine that computes MaxSim (Khattab and
 * Zaharia 2020, ColBERT).
 * @param states centered, of the question's tokens; must not be changed afterwards
 */
export type TokenMatcher = (states: Float32Array, passages: TokenCodes) => Promise<TokenMatches>;

/** A matcher of the project's own engine. */
export function nativeMatcher(library: EngineLibrary, codewords: Float32Array): TokenMatcher {
  // A question is compared again if copies of a text are left out.
  let last: { states: Float32Array; tables: Uint8Array } | undefined;
  return async (states, { codes, counts }) => {
    const tokens = states.length / (codewords.length / CODEWORDS);
    if (last?.states !== states) last = { states, tables: library.tabulate(states, codewords) };
    return { tokens, best: library.matchTokens(last.tables, tokens, codes, counts) };
  };
}

/** A matcher in JavaScript, for models that ONNX Runtime runs. Returns the same numbers as the native one. */
export function plainMatcher(codewords: Float32Array): TokenMatcher {
  const columns = codewords.length / CODEWORDS;
  const parts = columns / PART;
  return async (states, { codes, counts }) => {
    const tokens = states.length / columns;
    const best = new Float32Array(2 * tokens * counts.length);
    for (let token = 0; token < tokens; token++) {
      const table = tabulate(states.subarray(token * columns, (token + 1) * columns), codewords);
      let block = 0;
      counts.forEach((count, passage) => {
        const end = block + blockBytes(count, parts);
        const found = nearest(table, codes.subarray(block, end), count, parts);
        best.set(found, 2 * (passage * tokens + token));
        block = end;
      });
    }
    return { tokens, best };
  };
}

/** A question token's products with all codewords, rounded to bytes. */
interface Table {
  bytes: Uint8Array;
  scale: number;
  least: number;
}

/** The same arithmetic as `tabulate` in native/token-tables.h, in 32-bit floats. */
function tabulate(state: Float32Array, codewords: Float32Array): Table {
  const f = Math.fround;
  const parts = state.length / PART;
  const products = new Float32Array(parts * CODEWORDS);
  const lows = new Float32Array(parts);
  let [widest, least] = [0, 0];
  for (let part = 0; part < parts; part++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let code = 0; code < CODEWORDS; code++) {
      const word = part * CODEWORDS + code;
      let product = 0;
      for (let i = 0; i < PART; i++)
        product = f(product + f(state[part * PART + i]! * codewords[word * PART + i]!));
      products[word] = product;
      low = Math.min(low, product);
      high = Math.max(high, product);
    }
    lows[part] = low;
    least = f(least + low);
    widest = Math.max(widest, f(high - low));
  }
  const scale = widest > 0 ? f(widest / 255) : 1;
  const bytes = products.map((product, word) => {
    const steps = f(f(f(product - lows[Math.floor(word / CODEWORDS)]!) / scale) + f(0.5));
    return Math.trunc(Math.min(255, steps));
  });
  return { bytes: Uint8Array.from(bytes), scale, least };
}

function nearest(
  { bytes, scale, least }: Table,
  blocks: Uint8Array,
  count: number,
  parts: number,
): [number, number] {
  if (count === 0) return [0, 0];
  let [largest, best] = [-1, 0];
  for (let token = 0; token < count; token++) {
    const first = firstByte(token, parts);
    let sum = 0;
    for (let pair = 0; pair < parts / 2; pair++) {
      const both = blocks[first + pair * BLOCK_TOKENS]!;
      sum += bytes[2 * pair * CODEWORDS + (both & 15)]! + bytes[(2 * pair + 1) * CODEWORDS + (both >> 4)]!;
    }
    if (sum > largest) [largest, best] = [sum, token];
  }
  return [Math.fround(Math.fround(largest * scale) + least), best];
}
