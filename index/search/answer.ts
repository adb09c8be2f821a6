import type { Overview } from '../format/overview-types.ts';
import type { Filter, MetadataValue } from '../format/passage.ts';

/** A message of a conversation, in the form that chat APIs use. */
export interface Turn {
  role: 'user' | 'assistant';
  content: string;
}

/** How to search. `hybrid`: by meaning and words. `semantic`: by meaning. `lexical`: by words (BM25). */
export type Mode = 'hybrid' | 'semantic' | 'lexical';

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
  /** Drops results below this confidence (0 to 1), which then replaces `ANSWERED`. Without it, all k results are listed. */
  minConfidence?: number;
  /** Passages to add before and after each result, 0 to 5. */
  context?: number;
  /** Adds the parts of each result's score, and the evidence for its confidence. */
  explain?: boolean;
  /** Adds the words of the question and of each result that match. */
  matches?: boolean;
}

/** A part of the question and the part of a passage that matches it best, as `[start, end)` in UTF-16 code units. */
export interface Match {
  query: [start: number, end: number];
  text: [start: number, end: number];
  /** The share of the match in the passage's score, 0 to 1. */
  weight: number;
}

/**
 * Whether an index answers a question: `answered` if the best result probably does, `possible` if it may, `none` otherwise.
 * docs/confidence.md has the measured share of right results for each.
 */
export type Verdict = 'answered' | 'possible' | 'none';

/** A passage before or after a result in its document. */
export interface ContextPassage {
  id: string;
  text: string;
}

/** What a confidence depends on: how a result differs from the other candidates for the same question. */
export interface Evidence {
  /** How far the parts of its score for the passage and the tokens exceed the means of the candidates. */
  passageMargin: number;
  tokenMargin: number;
  /** Cosine of the question and the passage's best sentence. */
  sentence: number;
  /** The part of its score for words. */
  lexical: number;
  /** The highest BM25 share of any passage, 0 to 1: whether the question's words are in the index at all. */
  words: number;
  /** The weight of the question's tokens that the passage has nothing similar to, 0 to 1. */
  unmatched: number;
  /** The weighted similarity of the question's tokens to those candidates that match each best: what the index could match. */
  matchable: number;
  /** Logarithm of the number of the question's tokens; tokens with little weight count less. */
  length: number;
}

/** The parts of a score. Their sum is the score. */
export interface Explanation {
  /** Cosine of the question and the passage. */
  passage: number;
  /** Cosine of the question and the passage's best sentence. */
  sentence: number;
  /** BM25 as a share of the most that this question could get, times its weight. */
  lexical: number;
  /** The similarity of the question's tokens to the passage's, times its weight. 0 for an index without token states. */
  tokens: number;
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
  /** Opens the place of the passage, if the document has a URL. */
  url?: string;
  /** The place in the document: a URL fragment without `#`. */
  anchor?: string;
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
  /** What the confidence was computed from, if `explain` was requested. */
  evidence?: Evidence;
  /** The matching words, best first, if `matches` was requested. Empty for an index without token states. */
  matches?: Match[];
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
  /** Whether the best result answers the question. */
  verdict: Verdict;
  /** True if `verdict` is `answered`. */
  answered: boolean;
  results: SearchResult[];
  /** Results dropped to keep the answer within `maxCharacters`. */
  omitted?: number;
  /** Milliseconds. */
  took: { embedMs: number; searchMs: number; totalMs: number };
  index: IndexInfo;
}

/** One passage by its id, with the passages before and after it. */
export type PassageAnswer = Omit<
  SearchResult,
  'score' | 'confidence' | 'highlight' | 'explain' | 'evidence' | 'matches'
>;

/** A document in a list. */
export interface DocumentEntry {
  source: string;
  title: string;
  /** Opens the document, if it has a URL. */
  url?: string;
  lang: string;
  /** The number of its passages. */
  passages: number;
}

export interface DocumentList {
  documents: DocumentEntry[];
  /** The `from` of the next list; absent at the end. */
  next?: number;
}

export interface DocumentPart extends DocumentEntry {
  /** The texts of its passages, in reading order. */
  texts: string[];
  /** The `from` of the next part; absent at the end. */
  next?: number;
}

/** An open index, from `openSearch`. All methods may throw `Unavailable`. */
export interface Search {
  readonly info: IndexInfo;
  search(request: SearchRequest): Promise<Answer>;
  /** Returns the passage with this id, or undefined. */
  passage(id: string, context?: number): Promise<PassageAnswer | undefined>;
  overview(): Promise<Overview>;
  /**
   * Lists the documents, 25 at a time.
   * @param folder limits the list to paths that start with it; ends in `/`
   * @param from 0, or `next` of the list before
   */
  documents(folder: string | undefined, from: number): Promise<DocumentList>;
  /**
   * Returns 20 passages of the document with this path, or undefined if it does not exist or has no more passages.
   * @param from 0, or `next` of the part before
   */
  document(source: string, from: number): Promise<DocumentPart | undefined>;
  /** The index with the documents that one of these groups may read. Without groups, only what everyone may read. */
  for(groups: readonly string[]): Promise<Search>;
}

/** A search that can be closed. */
export interface ClosableSearch extends Search {
  /** Closes the files and connections of the index. No call may run or follow. */
  close(): void;
}
