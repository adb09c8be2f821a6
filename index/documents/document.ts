import type { MetadataValue } from '../format/passage.ts';

/** A heading or a paragraph of a document. Concatenated in order, the blocks hold all of its text. */
export interface Block {
  kind: 'heading' | 'paragraph';
  /** 1 (the document's own title) to 6; headings only. */
  level?: number;
  /** Set on the block that closes its article (a byline, say): no title from before it holds for what follows. */
  endsSection?: true;
  text: string;
}

/** What the reader of a format makes of a file (or of one line of a JSON Lines file). */
export interface Document {
  /** Where it came from: the path below the folder that the user named, with `/` between parts. */
  source: string;
  /** The id its record gives it (JSON Lines); files have none. */
  id?: string;
  title?: string;
  url?: string;
  /** BCP 47 tag, where the document or its record says so. */
  lang?: string;
  metadata?: Record<string, MetadataValue>;
  blocks: Block[];
}
