import type { TokenCodebook } from '../format/token-codes-file.ts';
import type { EncodedTokens } from './encoder.ts';
import type { TokenMatcher } from './token-matcher.ts';
import { centered, compress, storedTokens, tokenWeights } from './token-states.ts';
import type { Range, Tokenizer } from './tokenizer.ts';

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

/** Embeds texts token by token. */
export interface TokenEmbedder {
  passage(text: string): Promise<EmbeddedPassage>;
  question(text: string): Promise<EmbeddedQuestion>;
  /** Compares a question's token states with passages' codes. */
  readonly match: TokenMatcher;
  /** The part of a text for each token of `question`, or for each token of `passage`. */
  places(text: string, kind: 'query' | 'passage'): Range[];
}

/** The parts of an open model that embed token by token. */
export interface TokenEmbedderParts {
  tokenizer: Tokenizer;
  codebook: TokenCodebook;
  match: TokenMatcher;
  /** Runs the encoder on a text with the prefix of its kind. The states have a row for each token, prefix, begin and end included. */
  encode: (text: string, kind: 'query' | 'passage') => Promise<EncodedTokens>;
  /** The number of tokens before the text: the begin token and the prefix. */
  before: (kind: 'query' | 'passage') => number;
}

/** Embeds token by token with a model on the calling thread. */
export function createTokenEmbedder(parts: TokenEmbedderParts): TokenEmbedder {
  const { tokenizer, codebook, match, encode, before } = parts;
  const columns = codebook.centers.query.length;
  /** The states of the text's own tokens. */
  const embed = async (text: string, kind: 'query' | 'passage') => {
    const { vector, states } = await encode(text, kind);
    const own = states.slice(before(kind) * columns, states.length - columns);
    return { vector, states: centered(own, codebook.centers[kind]) };
  };
  return {
    match,
    async question(text) {
      const { vector, states } = await embed(text, 'query');
      const information = informationOf(tokenizer, text).slice(0, states.length / columns);
      return { vector, states, weights: tokenWeights(information) };
    },
    async passage(text) {
      const { vector, states } = await embed(text, 'passage');
      const stored = storedTokens(informationOf(tokenizer, text).slice(0, states.length / columns));
      const kept = new Float32Array(stored.length * columns);
      stored.forEach((token, i) => {
        kept.set(states.subarray(token * columns, (token + 1) * columns), i * columns);
      });
      return { vector, codes: compress(kept, codebook) };
    },
    places: (text, kind) => placesOf(tokenizer, text, kind),
  };
}

/** The part of a text for each of its tokens, or for each stored token of a passage. */
export function placesOf(tokenizer: Tokenizer, text: string, kind: 'query' | 'passage'): Range[] {
  const places = tokenizer.places(text);
  if (kind === 'query') return places;
  return storedTokens(informationOf(tokenizer, text)).map((token) => places[token]!);
}

/** The information of each token of a text, in nats. */
function informationOf(tokenizer: Tokenizer, text: string): Float32Array {
  return Float32Array.from(tokenizer.pieces(text), (id) => tokenizer.information(id));
}
