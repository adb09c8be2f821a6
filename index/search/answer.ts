import type { Mode } from '../format/mode.ts';
import type { Overview } from '../format/overview-types.ts';
import type { MetadataValue, Scalar } from '../format/passage.ts';

/** For each field a value, or several of which one must match. A source that ends in `/` matches a folder. */
export type Filter = Record<string, Scalar | Scalar[]>;

/** A valid request that this index cannot answer. The message says what to change. */
export class InvalidRequest extends Error {}

/** A message of a conversation, in the form that chat APIs use. */
export interface Turn {
  role: 'user' | 'assistant';
  content: string;
}

/** A question and its options. */
export interface SearchRequest {
  /** The question. */
  q: string;
  /** The conversation before the question, oldest turn first. A follow-up question is then understood in its context. */
  history?: Turn[];
  /** Maximum number of results, 1 to 100. */
  k: number;
  mode: Mode;
  /** Filters on `lang`, `source` or any metadata field. All fields must match. */
  filter?: Filter;
  /** Drops results below this confidence (0 to 1). Without it, all k results are listed, and `answered` says whether one reaches 0.5. */
  minConfidence?: number;
  /** Passages to add before and after each result, 0 to 5. */
  context?: number;
  /** Adds the parts of each result's score. */
  explain?: boolean;
}

/** A passage before or after a result in its document. */
export interface ContextPassage {
  id: string;
  text: string;
}

/** The parts of a score. Their sum is the score. */
export interface Explanation {
  /** Cosine of the question and the passage. */
  passage: number;
  /** Cosine of the question and the passage's best sentence. */
  sentence: number;
  /** BM25 as a share of the most that this question could get, times its weight. */
  lexical: number;
  /** Corrects for the score of any passage: weighted similarities to the mean of the index and of the language. Rarely above 0. */
  typical: number;
}

/** A passage with the same or nearly the same text as a result. */
export interface OtherPlace {
  id: string;
  title: string;
  source: string;
  url?: string;
}

export interface SearchResult {
  id: string;
  text: string;
  title: string;
  source: string;
  url?: string;
  lang: string;
  metadata?: Record<string, MetadataValue>;
  score: number;
  /** The probability that a passage with this score contains the answer, 0 to 1. */
  confidence: number;
  /** The sentence nearest to the question. Offsets into `text` are in UTF-16 code units. */
  highlight: { text: string; start: number; end: number };
  /** Other places of the same or nearly the same text that match the filter, at most 10; absent without one. */
  alsoIn?: OtherPlace[];
  /** The passages before and after it in reading order, if `context` was requested. */
  before?: ContextPassage[];
  after?: ContextPassage[];
  explain?: Explanation;
}

export interface IndexInfo {
  /** Content hash of the index: changes if and only if its content does. */
  version: string;
  passages: number;
  model: string;
}

/** The second query for a question with a history. */
export interface ContextualQuery {
  /** The question and the last exchange before it. */
  text: string;
  /** The weight of this text, 0 to 0.5. The rest is the weight of the question. */
  share: number;
}

export interface Answer {
  /** The question. */
  q: string;
  /** Absent without a history, or if the question is too long for one. */
  searchedFor?: ContextualQuery;
  /** False if no result is confident enough: show "not found" rather than the nearest passage. */
  answered: boolean;
  results: SearchResult[];
  /** Results dropped to keep the answer within `maxCharacters`. */
  omitted?: number;
  /** Milliseconds. */
  took: { embedMs: number; searchMs: number; totalMs: number };
  index: IndexInfo;
}

/** One passage by its id, with the passages before and after it. */
export type PassageAnswer = Omit<SearchResult, 'score' | 'confidence' | 'highlight' | 'explain'>;

/** An open index, from `openSearch`. */
export interface Search {
  readonly info: IndexInfo;
  search(request: SearchRequest): Promise<Answer>;
  /** Returns the passage with this id, or undefined. */
  passage(id: string, context?: number): PassageAnswer | undefined;
  overview(): Overview;
}
