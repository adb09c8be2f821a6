import type { Mode } from '../format/mode.ts';
import type { Overview } from '../format/overview-types.ts';
import type { MetadataValue, Scalar } from '../format/passage.ts';

/** A field's value, or several of which one must match. A source that ends in `/` matches a folder. */
export type Filter = Record<string, Scalar | Scalar[]>;

/** A request that this index can't answer, though its form is right; the message says what to change. */
export class InvalidRequest extends Error {}

/** What was said in a conversation, as chat interfaces name it. */
export interface Turn {
  role: 'user' | 'assistant';
  content: string;
}

/** A question and how to answer it. */
export interface SearchRequest {
  /** The question. */
  q: string;
  /** What was said before, oldest first: the question is then read as a part of the conversation. */
  history?: Turn[];
  /** How many results at most; 1 to 100. */
  k: number;
  mode: Mode;
  /** On `lang`, `source` or any metadata field; all fields must match. */
  filter?: Filter;
  /** Leaves out what is less certain. Without it all k results are listed, and `answered` says whether one reaches 0.5. */
  minConfidence?: number;
  /** How many neighbours of each passage to add, on each side. */
  context?: number;
  /** Adds to each result the parts of its score. */
  explain?: boolean;
}

/** A passage beside the one asked for. */
export interface Neighbour {
  id: string;
  text: string;
}

/** Parts of a score, each as it is added: their sum is the score. */
export interface Explanation {
  /** Cosine of question and passage. */
  passage: number;
  /** Cosine of question and best sentence. */
  sentence: number;
  /** Weighted BM25 as a share of the most that this question could get. */
  lexical: number;
  /** Less a part of what any passage of the index, and any in its language, would get: hardly ever above 0. */
  typical: number;
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
  /** 0 to 1: how likely a passage with this score holds the answer. */
  confidence: number;
  /** The sentence nearest to the question; offsets into `text` in UTF-16 code units. */
  highlight: { text: string; start: number; end: number };
  /** Neighbours in reading order, when `context` asks for them. */
  before?: Neighbour[];
  after?: Neighbour[];
  explain?: Explanation;
}

export interface IndexInfo {
  /** Content hash of the index: changes when, and only when, what it holds does. */
  version: string;
  passages: number;
  model: string;
}

/** What was searched for besides the question alone. */
export interface InContext {
  /** The question and what was said last before it. */
  text: string;
  /** How much this text counts, 0 to 0.5; the question alone counts for the rest. */
  share: number;
}

export interface Answer {
  /** The question. */
  q: string;
  /** Absent where the request has no history, or a question so long that none is read. */
  searchedFor?: InContext;
  /** False where no result is certain enough: say "not found" rather than show the nearest passage as an answer. */
  answered: boolean;
  results: SearchResult[];
  /** How many results were left out to keep the answer within the characters asked for. */
  omitted?: number;
  /** Milliseconds. */
  took: { embedMs: number; searchMs: number; totalMs: number };
  index: IndexInfo;
}

/** One passage by its id, with its neighbours. */
export type PassageAnswer = Omit<SearchResult, 'score' | 'confidence' | 'highlight' | 'explain'>;

/** What an open index can do. Opened by `openSearch`; all that an endpoint needs. */
export interface Search {
  readonly info: IndexInfo;
  search(request: SearchRequest): Promise<Answer>;
  /** The passage with this id, or undefined. */
  passage(id: string, context?: number): PassageAnswer | undefined;
  overview(): Overview;
}
