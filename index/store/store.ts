import type { Neighbor } from '../format/graph-file.ts';
import type { Typicality } from '../format/languages-file.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Overview } from '../format/overview-types.ts';
import type { Filter, Passage } from '../format/passage.ts';
import type { TokenCodes } from '../format/tokens-file.ts';

/** The store cannot be read now, although the request is right. The message tells callers so, without the cause, which is `cause`. */
export class Unavailable extends Error {
  readonly isUnavailable = true;
}

/** The function's code for S3 Vectors is a bundle of its own, with its own copies of these classes: `instanceof` would not know them. */
export function isUnavailable(error: unknown): error is Unavailable {
  return error instanceof Error && 'isUnavailable' in error;
}

/** A valid request that this index cannot answer. The message says what to change. */
export class InvalidRequest extends Error {
  readonly isInvalidRequest = true;
  /** The message without what the caller sent, for logs. */
  readonly unquoted: string;

  constructor(message: string, unquoted = message) {
    super(message);
    this.unquoted = unquoted;
  }
}

/** See `isUnavailable`. */
export function isInvalidRequest(error: unknown): error is InvalidRequest {
  return error instanceof Error && 'isInvalidRequest' in error;
}

/** Why a store is unavailable until its first index is complete. */
export const NO_INDEX = 'There is no index yet. Try again when one has been built and published.';

/** The passages that a request may find. */
export interface Selection {
  filter: Filter;
  /** The passages that match the filter and are not left out, ascending. */
  ordinals: readonly number[];
  /** Whether a passage is one of them. */
  has: (ordinal: number) => boolean;
  /** Passages that are left out, although the filter may match them. */
  without?: ReadonlySet<number>;
}

/** What ranking needs of a passage. */
export interface Row {
  ordinal: number;
  /** The number of the passage's language. */
  language: number;
  /** Cosine of the question and the passage. */
  similarity: () => number;
  /** The passage's sentence with the highest cosine to the question: its number within the passage, and the cosine. */
  bestSentence: () => { sentence: number; cosine: number };
  passage: () => Passage;
  /** The error for a row that contradicts itself. */
  damaged: (problem: string) => Error;
}

/** The similarities of rows that were read without a vector. */
export function noVector(): never {
  throw new Error('These rows were read without a vector.');
}

/** The passages before and after a passage in its document, in reading order. */
export interface Surrounding {
  before: Passage[];
  after: Passage[];
}

/** Finds lists of passages by keys (`KEYS` in lookup-file.ts). */
export interface Lists {
  /** The passages under a key: their ordinals, ascending, and for a term the byte of each; undefined if there are none. */
  list(key: string): Promise<{ ordinals: Uint32Array; rest: Uint8Array } | undefined>;
  /** The ordinal of the passage with this id, or undefined. */
  ordinal(id: string): Promise<number | undefined>;
  /** The error for a record that contradicts the format. */
  damaged(problem: string): Error;
}

/** An index that only callers of some groups may search. */
export interface RestrictedStore {
  groups: readonly string[];
  open: () => Promise<Store>;
}

/**
 * One generation of an index, open for questions. Its contents never change. All methods may throw `Unavailable`, and an `Error` that
 * names the damaged part.
 */
export interface Store {
  readonly manifest: Pick<
    Manifest,
    'version' | 'model' | 'dimensions' | 'counts' | 'languages' | 'fields' | 'tuning'
  >;
  /** All ordinals are below this. Not every number below it is a passage. */
  readonly size: number;
  readonly lists: Lists;
  /**
   * The passages nearest to a vector, in no order. May return fewer than there are.
   * @param vector of length 1, or a weighted mean of such vectors
   */
  nearest(vector: Float32Array, count: number, selection?: Selection): Promise<Neighbor[]>;
  /**
   * Reads rows, in the order of the ordinals.
   * @param vector the question's; without it, rows have no similarities
   */
  rows(ordinals: readonly number[], vector?: Float32Array): Promise<Row[]>;
  /** The compressed token states of passages, in their order. Only for an index with token states (`manifest.model.tokens`). */
  tokenCodes(ordinals: readonly number[]): Promise<TokenCodes>;
  /** For each of these passages, up to `context` passages on either side. */
  around(ordinals: readonly number[], context: number): Promise<Surrounding[]>;
  /** Compares a question with typical passages. */
  typicality(vector: Float32Array): Typicality;
  overview(): Promise<Overview>;
  /** Indexes of the same place that only some groups may search. */
  readonly restricted?: readonly RestrictedStore[];
  /** Frees its files and connections. No call may run or follow. */
  close(): void;
}
