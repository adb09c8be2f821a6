/** How to search. `hybrid`: by meaning and words. `semantic`: by meaning. `lexical`: by words (BM25). */
export type Mode = 'hybrid' | 'semantic' | 'lexical';
