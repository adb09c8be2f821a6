import type { CompiledModel } from '../format/compiled-model.ts';
import type { TokenCodebook } from '../format/token-codes-file.ts';
import type { EncodedTokens } from './encoder.ts';
import type { TokenMatcher } from './token-matcher.ts';
import { centered, compress, storedTokens, tokenWeights } from './token-states.ts';
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

/** Embeds texts token by token. */
export interface TokenEmbedder {
  passage(text: string): Promise<EmbeddedPassage>;
  question(text: string): Promise<EmbeddedQuestion>;
  /** Compares a question's token states with passages' codes. */
  readonly match: TokenMatcher;
  /** The part of a text for each token of `question`, or for each token of `passage`. */
  places(text: string, kind: Kind): Range[];
}

/** The parts of an open model that embed token by token. */
export interface TokenEmbedderParts {
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
