/** A value that a filter compares with. */
export type Scalar = string | number | boolean;

/** A value of a document's own field. A search can filter on it. */
export type MetadataValue = Scalar | string[];

/** The unit that is found: some sentences that stand together in a document. */
export interface Passage {
  /** Unique in an index; does not change when other documents do. */
  id: string;
  text: string;
  /** The headings it stands under, joined by ` › `; the document's title or file name where there is none. */
  title: string;
  source: string;
  /** 0-based place within its document; neighbours have consecutive positions. */
  position: number;
  /** BCP 47 tag; `und` where the language could not be told. */
  lang: string;
  url?: string;
  metadata?: Record<string, MetadataValue>;
  /** `[start, end)` of each sentence in `text`, in UTF-16 code units, in order and without overlap; headings are none. */
  sentences: [start: number, end: number][];
}
