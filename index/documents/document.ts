import type { MetadataValue } from '../format/passage.ts';

/** A heading or a paragraph of a document. The blocks in order contain all of its text. */
export interface Block {
  kind: 'heading' | 'paragraph';
  /** 1 (the document's own title) to 6; headings only. */
  level?: number;
  /** Set on the last block of an article (such as a byline): earlier titles do not apply to later blocks. */
  endsSection?: true;
  text: string;
}

/** A file, or a line of a JSON Lines file, as the reader of its format returns it. */
export interface Document {
  /** Path below the folder that the user named, with `/` between parts. */
  source: string;
  /** Only records of JSON Lines have one. */
  id?: string;
  title?: string;
  url?: string;
  /** BCP 47 tag, if the document or record declares one. */
  lang?: string;
  metadata?: Record<string, MetadataValue>;
  blocks: Block[];
}
