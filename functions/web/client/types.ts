import type {
  Answer,
  IndexInfo,
  PassageAnswer,
  SearchRequest,
  SearchResult,
} from '../../../index/search/answer.ts';

// functions/search/ checks that its schemas have these types. In the npm package, types made of the schemas replace this module.

/** Body of `POST /search`. */
export interface Question extends Partial<SearchRequest> {
  q: string;
  lang?: string | string[];
  source?: string | string[];
  maxCharacters?: number;
}

/** Response of a search. */
export type { Answer };
/** One result of an answer. */
export type Result = SearchResult;
/** Response of `GET /passages/{id}`. */
export type Passage = PassageAnswer;
/** Response of `GET /health`. */
export interface Health {
  status: 'ok';
  index: IndexInfo;
}
