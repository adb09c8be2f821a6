import type {
  Answer,
  IndexInfo,
  PassageAnswer,
  SearchRequest,
  SearchResult,
} from '../../../index/search/answer.ts';

// functions/search/ checks that its schemas have these types. In the npm package, types made of the schemas replace this module.

export interface Question extends Partial<SearchRequest> {
  q: string;
  lang?: string | string[];
  source?: string | string[];
  maxCharacters?: number;
}

export type { Answer };
export type Result = SearchResult;
export type Passage = PassageAnswer;
export interface Health {
  status: 'ok';
  index: IndexInfo;
}
