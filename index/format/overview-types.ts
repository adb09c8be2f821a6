/** A field's value and its number of passages. */
export interface Counted {
  value: string;
  passages: number;
}

/** A document, or a folder whose name ends in `/`. */
export interface CountedSource extends Counted {
  /** Of a document: its title, unless another one in the list has the same. */
  title?: string;
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
  /** At most 50, most passages first. */
  sources: CountedSource[];
  /** At most 6. */
  suggestions: Suggestion[];
}
