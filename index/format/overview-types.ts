/** A field's value and its number of passages. */
export interface Counted {
  value: string;
  passages: number;
}

/** A question that a reader could ask first, and its language. */
export interface Suggestion {
  text: string;
  lang: string;
}

/** A summary of an index, for readers who have not asked anything yet. */
export interface Overview {
  /** Most passages first. */
  languages: Counted[];
  /** At most 50 documents or, ending in `/`, folders. Most passages first. */
  sources: Counted[];
  /** At most 6. */
  suggestions: Suggestion[];
}
