/** A field's value and its number of passages. */
export interface Counted {
  value: string;
  passages: number;
}

/** A question to start with, and its language. */
export interface Suggestion {
  text: string;
  lang: string;
}

/** A summary of an index, to show before the first question. */
export interface Overview {
  documents: number;
  /** Most passages first. */
  languages: Counted[];
  /** At most 50 documents or, ending in `/`, folders. Most passages first. */
  sources: Counted[];
  /** At most 6. */
  suggestions: Suggestion[];
}
